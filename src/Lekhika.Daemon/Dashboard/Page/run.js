// What is known of one execution; events change it.

import * as api from './api.js';
import { get as at, parse, plain } from './json.js';
import { fieldsOf, graphOf, keyOf, topOf } from './definition.js';
import { isOver, ms, span, compact, count } from './text.js';

const WORDS = { succeeded: 'completed', opened: 'running' };
const MOST_PAGES = 5;
const WINDOW = 3000;

/** The fields of a step, but for its output, which stays where it is in the text. */
function light(doc, node) {
	const step = {};
	for (const [key, value] of node.items) {
		if (key === 'output') step.output = value.t === 'z' ? null : { doc, node: value };
		else step[key] = plain(value);
	}
	step.status = step.status || WORDS[step.outcome] || step.outcome;
	return step;
}

export class Run {
	constructor(id) {
		this.id = id;
		this.head = null;
		this.doc = null;
		this.graph = { nodes: [], edges: [] };
		this.names = new Map();
		this.steps = new Map();
		this.attempts = [];
		this.streams = new Map();
		this.current = null;
	}

	get status() { return this.head?.status; }
	get isOver() { return isOver(this.status); }
	get fields() { return fieldsOf(this.graph); }

	async load() {
		const text = await api.getText(`executions/${this.id}`);
		const doc = parse(text);
		const has = new Set(['steps', 'nodeResults', 'result', 'storyContext', 'processingSteps']);
		const head = Object.fromEntries(doc.root.items.filter(([key]) => !has.has(key)).map(([key, node]) => [key, plain(node)]));
		this.doc = doc;
		const before = this.head;
		this.head = { ...head, progress: Math.max(head.progress || 0, before && before.runNumber === head.runNumber ? before.progress || 0 : 0) };
		if (!this.graph.nodes.length) {
			this.graph = graphOf(head.definition || head.workflow);
			this.names = new Map(this.graph.nodes.map(node => [node.id, node.name]));
		}
		for (const node of at(doc.root, 'steps')?.items.map(([, item]) => item) || []) this.learn(light(doc, node));
	}

	async loadSteps() {
		const attempts = [];
		let cursor = '';
		for (let page = 0; page < MOST_PAGES; page++) {
			const doc = parse(await api.getText(`executions/${this.id}/steps${api.query({ limit: 1000, cursor })}`));
			for (const [, node] of at(doc.root, 'steps')?.items || []) attempts.push(light(doc, node));
			const next = at(doc.root, 'next');
			if (!next || next.t === 'z') break;
			cursor = next.v;
		}
		const last = new Map();
		for (const step of attempts) {
			const known = this.steps.get(step.key);
			step.name = known?.name || this.nameOf(step.nodeId || topOf(step.key));
			step.type = known?.type;
			last.set(step.key, step);
		}
		// A wait's record has its due time; the attempt that ended has the later one.
		this.attempts = attempts;
		for (const step of last.values()) this.learn(step);
	}

	nameOf(id) { return this.names.get(id) || this.names.get(topOf(id)) || id; }

	learn(step) {
		const known = this.steps.get(step.key);
		if (known && known.attempt > step.attempt) return;
		const isBehind = known && known.attempt === step.attempt && ['completed', 'failed'].includes(known.status) && step.status === 'running';
		const merged = { ...known, ...step };
		if (isBehind) Object.assign(merged, { status: known.status, finishedAt: known.finishedAt, error: known.error });
		if (!step.output && known?.output) merged.output = known.output;
		merged.nodeId = merged.nodeId || topOf(step.key);
		merged.name = merged.name || this.nameOf(merged.nodeId);
		this.steps.set(step.key, merged);
		if (step.text || step.partialText || step.thinking) {
			const stream = this.stream(step.key);
			if ((step.text || step.partialText || '').length > stream.text.length) stream.text = step.text || step.partialText;
			if ((step.thinking || '').length > stream.thinking.length) stream.thinking = step.thinking;
		}
	}

	stream(key) {
		let stream = this.streams.get(key);
		if (!stream) this.streams.set(key, stream = { text: '', thinking: '', times: [], pieces: 0 });
		return stream;
	}

	/** Tokens per second over the last moments; null if none came. */
	speed(key) {
		const times = this.streams.get(key)?.times;
		if (!times?.length) return null;
		const now = Date.now();
		while (times.length && now - times[0] > WINDOW) times.shift();
		return times.length > 1 ? times.length / Math.max(0.25, (now - times[0]) / 1000) : null;
	}

	/** Takes events in; tells what they changed: {head, steps, reload, over, texts: Map key → added}. */
	take(events) {
		const changed = { head: false, steps: false, reload: false, over: false, texts: new Map(), restarted: new Set() };
		for (const { name, data } of events) this.#one(name, data, changed);
		return changed;
	}

	#one(name, data, changed) {
		const step = data.step ? this.steps.get(data.step) : null;
		switch (name) {
			case 'snapshot': {
				const { steps = [], ...head } = data;
				if (this.head && head.runNumber && head.runNumber !== this.head.runNumber) this.reset();
				Object.assign(this.head, head);
				for (const stream of this.streams.values()) stream.times = [];
				for (const one of steps) {
					const { output, ...rest } = one;
					const before = this.stream(one.key);
					this.learn(rest);
					if (one.status === 'running') {
						before.text = one.text || '';
						before.thinking = one.thinking || '';
						changed.restarted.add(one.key);
					}
				}
				const running = steps.findLast(one => one.status === 'running');
				if (running) this.current = running.key;
				changed.head = changed.steps = changed.reload = true;
				break;
			}
			case 'state':
				if (data.status === 'running' && this.isOver) this.reset();
				this.head.waitingFor = data.waiting_for ?? null;
				this.head.status = data.status;
				if (data.progress !== undefined) this.head.progress = data.progress;
				changed.head = changed.steps = true;
				changed.reload ||= data.status === 'waiting';
				break;
			case 'progress':
				this.head.progress = data.progress;
				changed.head = true;
				break;
			case 'chapter':
				this.head.chapterInfo = { currentChapter: data.current, totalChapters: data.total };
				changed.head = true;
				break;
			case 'node': {
				const begins = data.status === 'running' && (!step || step.attempt !== data.attempt || step.status !== 'running');
				const error = data.error ? { message: data.error, code: data.code } : null;
				this.learn({ key: data.step, nodeId: step?.nodeId || data.node, name: data.name, type: data.type, status: data.status, attempt: data.attempt, error,
					queuePosition: null, ...(begins ? { startedAt: new Date().toISOString(), finishedAt: null } : {}) });
				if (begins) { this.current = data.step; this.streams.delete(data.step); changed.restarted.add(data.step); } else changed.reload = true;
				changed.steps = true;
				break;
			}
			case 'queued':
			case 'turn':
				if (!step) break;
				step.queuePosition = name === 'queued' ? data.position : null;
				if (data.endpoint) step.endpoint = data.endpoint;
				changed.head = changed.steps = true;
				break;
			case 'text':
			case 'thinking': {
				const stream = this.stream(data.step);
				stream[name] += data.text;
				stream.times.push(Date.now());
				stream.pieces++;
				const added = changed.texts.get(data.step) || { text: '', thinking: '' };
				added[name] += data.text;
				changed.texts.set(data.step, added);
				break;
			}
			case 'restart':
				this.streams.delete(data.step);
				changed.texts.delete(data.step);
				changed.restarted.add(data.step);
				break;
			case 'end':
				Object.assign(this.head, { status: data.status, error: data.error ?? null, waitingFor: null });
				changed.head = changed.steps = changed.reload = changed.over = true;
				break;
			case 'leave':
				changed.reload = true;
				break;
		}
	}

	/** A new run begins: what was of the last one goes. */
	reset() {
		this.steps.clear();
		this.streams.clear();
		this.attempts = [];
		this.current = null;
		this.head.progress = 0;
	}

	/** The steps that belong to a node at the top. */
	stepsOf(id) { return [...this.steps.values()].filter(step => topOf(step.key) === id); }

	/** What the graph shows of each node: {status, sub, branch}. */
	states() {
		const states = new Map();
		const inner = new Map();
		for (const step of this.steps.values()) {
			const top = topOf(step.key);
			if (step.key === keyOf(top)) continue;
			const sum = inner.get(top) || { done: 0, all: 0, running: 0 };
			sum.all++;
			if (step.status === 'completed') sum.done++;
			if (step.status === 'running') sum.running++;
			inner.set(top, sum);
		}
		for (const { id } of this.graph.nodes) {
			const step = this.steps.get(keyOf(id));
			const inside = inner.get(id);
			if (!step && !inside) {
				states.set(id, { status: this.isOver ? 'skipped' : 'pending', sub: this.isOver ? 'not run' : '' });
				continue;
			}
			let status = step?.status || (inside.running ? 'running' : 'completed');
			if (status === 'running' && this.isOver) status = this.status === 'completed' ? 'completed' : 'cancelled';
			if (status === 'running' && ['waiting', 'paused'].includes(this.status)) status = this.status;
			states.set(id, { status, branch: step?.branch, sub: this.#sub(status, step, inside) });
		}
		return states;
	}

	#sub(status, step, inside) {
		if (inside) return `${count(inside.done)} of ${count(inside.all)} steps done`;
		if (status === 'running' && step.queuePosition > -1 && step.queuePosition !== null) return step.queuePosition ? `queued, ${step.queuePosition} in front` : 'next for its model';
		if (status === 'running') {
			const speed = this.speed(step.key);
			return speed ? `${speed.toFixed(speed < 10 ? 1 : 0)} tokens/s` : step.attempt > 1 ? `attempt ${step.attempt}` : 'running';
		}
		if (status === 'failed') return step.error?.code || 'failed';
		if (status === 'retrying') return `attempt ${step.attempt} failed`;
		if (status !== 'completed') return status;
		const took = step.startedAt && step.finishedAt ? span(ms(step.finishedAt) - ms(step.startedAt)) : '';
		const tokens = step.metrics?.tokens_out ? `${compact(step.metrics.tokens_out)} tokens` : '';
		return [took, tokens, step.branch && `→ ${step.branch}`].filter(Boolean).join(' · ') || 'completed';
	}
}
