// Follows one execution's events, handed over once per frame however many come. A tab that nobody looks at holds no stream.

import * as api from './api.js';

const NAMES = ['snapshot', 'state', 'node', 'queued', 'turn', 'text', 'thinking', 'restart', 'progress', 'chapter', 'end', 'leave'];

/** Calls onevents with a list of {name, data} and onlink with whether the stream stands; returns a function that ends it. */
export function follow(path, onevents, onlink = () => {}) {
	let source = null;
	let waiting = [];
	let frame = 0;
	let timer = 0;
	let delay = 1000;
	let over = false;

	const flush = () => {
		frame = 0;
		const events = waiting;
		waiting = [];
		if (!over || events.length) onevents(events);
	};
	const close = () => {
		source?.close();
		source = null;
		clearTimeout(timer);
	};
	const open = () => {
		if (over || source || document.hidden) return;
		source = new EventSource(new URL(path, document.baseURI));
		source.onopen = () => { delay = 1000; onlink(true); };
		source.onerror = () => {
			onlink(false);
			if (source?.readyState !== EventSource.CLOSED) return; // it tries again by itself
			close();
			// Refused: perhaps the session has ended, which this tells.
			api.get('session').then(session => {
				if (session.required && !session.signedIn) api.get('status').catch(() => {});
			}, () => {});
			timer = setTimeout(open, delay);
			delay = Math.min(15000, delay * 2);
		};
		for (const name of NAMES) {
			source.addEventListener(name, event => {
				if (name === 'snapshot') waiting = []; // what came before is part of it
				waiting.push({ name, data: JSON.parse(event.data) });
				if (name === 'end') { over = true; close(); }
				if (!frame) frame = requestAnimationFrame(flush);
			});
		}
	};
	const look = () => (document.hidden ? close() : open());
	document.addEventListener('visibilitychange', look);
	open();
	return () => {
		over = true;
		close();
		cancelAnimationFrame(frame);
		document.removeEventListener('visibilitychange', look);
	};
}

/** Calls again and again while the page is looked at; returns {stop, now}. */
export function every(ms, work) {
	let timer = 0;
	let ended = false;
	let busy = false;
	const again = () => { if (!ended) timer = setTimeout(run, ms); };
	const run = async () => {
		clearTimeout(timer);
		if (ended || busy) return;
		if (!document.hidden) {
			busy = true;
			// Whatever went wrong, it is done again: what is no trouble of the connection is also told on the console.
			try {
				await work();
			} catch (error) {
				if (!(error instanceof api.ApiError)) throw error;
			} finally {
				busy = false;
				again();
			}
		} else {
			again();
		}
	};
	const look = () => { if (!document.hidden) run(); };
	document.addEventListener('visibilitychange', look);
	run();
	return { now: run, stop() { ended = true; clearTimeout(timer); document.removeEventListener('visibilitychange', look); } };
}
