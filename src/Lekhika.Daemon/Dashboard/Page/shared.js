// What all screens know: who is signed in, and the pulse of this worker, asked every few seconds while somebody looks.

import * as api from './api.js';

export const session = { isIn: false, role: null, required: true };
export const canAct = () => session.role === 'operator';

const KEPT = 400;

export const pulse = {
	worker: null,
	queue: null,
	paused: false,
	/** {at, queued, held, finished, perSecond, oldest} in the order of their time. */
	history: [],
	listeners: new Set(),

	/** Calls now and after each beat; returns a function that ends it. */
	listen(listener) {
		this.listeners.add(listener);
		listener();
		return () => this.listeners.delete(listener);
	},
	tell() { for (const listener of this.listeners) listener(); },
	toggle() {},
	forget() {
		this.listeners.clear();
		this.history = [];
		this.worker = this.queue = null;
		this.paused = false;
	},
	async take() {
		const [worker, queue] = await Promise.all([api.get('status'), api.optional('queue').catch(() => null)]);
		[this.worker, this.queue] = [worker, queue];
		const at = Date.now();
		const finished = Object.values(worker.finished || {}).reduce((sum, n) => sum + n, 0);
		const before = this.history.at(-1);
		const perSecond = before && finished >= before.finished ? (finished - before.finished) / Math.max(0.5, (at - before.at) / 1000) : 0;
		this.history.push({ at, finished, perSecond, queued: queue?.ready ?? worker.queued ?? 0, held: queue?.held ?? worker.activeExecutions ?? 0,
			oldest: (queue?.oldestAgeMs ?? 0) / 1000 });
		if (this.history.length > KEPT) this.history.shift();
		this.tell();
	},
};
