// What one node did: its error first, then text, output, attempts, what it was given.

import { arrange, button, copy, download, el, fold, icon, put, say, soft, state } from './dom.js';
import { get as at, parse, pretty, view } from './json.js';
import { compact, count, ms, span, when } from './text.js';
import { keyOf } from './definition.js';
import { canAct } from './shared.js';

const MOST_SHOWN = 200000;
const MOST_INNER = 300;

/** A text that grows: only its end is kept on the screen when it is very long. */
export function growing(text, { live, label = 'Text' } = {}) {
	const node = document.createTextNode('');
	const note = el('p', { class: 'hint', hidden: true }, 'Only the end is shown.');
	const root = el('pre', { class: `prose${live ? ' live' : ''}`, dir: 'auto', tabindex: 0, role: 'region', 'aria-label': label }, node);
	const append = more => {
		const follows = root.scrollHeight - root.scrollTop - root.clientHeight < 60;
		node.appendData(more);
		if (node.length > MOST_SHOWN * 1.2) { node.deleteData(0, node.length - MOST_SHOWN); note.hidden = false; }
		if (follows) root.scrollTop = root.scrollHeight;
	};
	append(text.length > MOST_SHOWN && live ? text.slice(-MOST_SHOWN) : text);
	return { root: el('div', {}, note, root), append, end: () => { root.scrollTop = root.scrollHeight; } };
}

/** The parts of an output that people read: text, or chapters. */
function readable(node) {
	if (node.t === 's') return node.v;
	for (const key of ['text', 'value', 'document', 'markdown']) {
		const part = at(node, key);
		if (part?.t === 's' && part.v.trim()) return part.v;
		const inner = part?.t === 'o' ? at(part, 'text') : null;
		if (inner?.t === 's') return inner.v;
	}
	return null;
}

/** A result or output: as text where there is some, and as the JSON it is. */
export function valueView({ doc, node }, { name = 'result', open } = {}) {
	const text = readable(node);
	const bar = el('div', { class: 'row' });
	if (text !== null) {
		bar.append(button('Copy text', () => copy(text), { class: 'small', picture: 'copy' }),
			button('Text', () => download(`${name}.txt`, text, 'text/plain'), { class: 'small', picture: 'down', 'aria-label': 'Download as text' }));
	}
	const formats = at(node, 'formats');
	for (const [format, part] of formats?.t === 'o' ? formats.items : []) {
		if (part.t !== 's') continue;
		const kind = { markdown: ['md', 'text/markdown'], html: ['html', 'text/html'], text: ['txt', 'text/plain'] }[format] || [format.replace(/\W/g, ''), 'text/plain'];
		bar.append(button(format, () => download(`${name}.${kind[0]}`, part.v, kind[1]), { class: 'small', picture: 'down', 'aria-label': `Download as ${format}` }));
	}
	bar.append(button('JSON', () => download(`${name}.json`, pretty(doc, node), 'application/json'), { class: 'small', picture: 'down', 'aria-label': 'Download as JSON' }));
	const chapters = at(node, 'chapters');
	const json = view(doc, node, { open: open ?? 2, label: `${name} as JSON` });
	return el('div', { class: 'stack small' }, bar,
		text !== null && growing(text, { label: `${name} as text` }).root,
		chapters?.t === 'a' && chapters.items.map(([, chapter], i) => chapterView(chapter, i)),
		text === null && chapters?.t !== 'a' ? json : fold('As JSON', json));
}

function chapterView(chapter, i) {
	const text = readable(chapter) ?? at(chapter, 'content')?.v ?? '';
	const title = at(chapter, 'title')?.v ?? `Chapter ${i + 1}`;
	return el('details', { class: 'fold' }, el('summary', { dir: 'auto' }, `${i + 1}. ${title}`), growing(String(text), { label: String(title) }).root);
}

export function errorView(error, { open, more } = {}) {
	const details = error.details && Object.keys(error.details).length ? parse(JSON.stringify(error.details)) : null;
	return el('div', { class: 'alert', role: 'alert' }, el('strong', {}, icon('failed'), error.code || 'failed'),
		el('pre', { class: 'prose', dir: 'auto' }, error.message || ''), details && el('details', { class: 'fold', open }, el('summary', {}, 'Details'), view(details, details.root)), more);
}

/** The pane of one node. show(id, key) brings it up to date part by part: what did not change keeps its folds, its place and its focus. */
// grow(key, added) lets a text grow.
export function nodePane(run, { onchoose, onretry, onclose }) {
	const root = el('div', {});
	const live = new Map();
	const rates = new Map();
	let shown = null;

	function figures(step) {
		const metrics = step.metrics || {};
		const took = step.startedAt ? (ms(step.finishedAt) ?? (run.isOver ? null : Date.now())) - ms(step.startedAt) : null;
		const rate = metrics.tokens_out && metrics.generation_ms ? metrics.tokens_out / metrics.generation_ms * 1000 : null;
		const speed = el('dd', { class: 'num' }, rate ? rate.toFixed(1) : '–');
		if (!step.finishedAt) rates.set(step.key, speed);
		const facts = [
			['Attempt', step.attempt > 1 ? step.attempt : null], ['Took', took > 0 ? span(took) : null], ['Model', metrics.model], ['Endpoint', step.endpoint || metrics.endpoint],
			['Tokens in', metrics.tokens_in && compact(metrics.tokens_in)], ['Tokens out', metrics.tokens_out && compact(metrics.tokens_out)], ['Words', metrics.words && count(metrics.words)],
			['Queued', metrics.queue_ms > 1 && span(metrics.queue_ms)], ['Model load', metrics.load_ms > 1 && span(metrics.load_ms)], ['Branch', step.branch], ['Due', step.dueAt && when(step.dueAt)]];
		return el('dl', { class: 'facts' }, facts.filter(([, value]) => value != null && value !== false && value !== '')
			.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))),
		(rate || live.has(step.key)) && el('div', {}, el('dt', {}, 'Tokens/s'), speed));
	}

	function stepView(step, isInner) {
		const stream = run.streams.get(step.key);
		const isLive = step.status === 'running' && !run.isOver;
		const parts = [];
		if (step.error) parts.push(errorView(step.error));
		if (isLive && stream && (stream.text || stream.thinking)) {
			const text = growing(stream.text, { live: true, label: `${step.name}, as it is written` });
			const thinking = stream.thinking ? growing(stream.thinking, { live: true, label: 'Thinking' }) : null;
			live.set(step.key, { text, thinking });
			if (thinking) parts.push(fold('Thinking', thinking.root));
			parts.push(text.root);
		} else if (isLive && step.queuePosition > -1 && step.queuePosition !== null) {
			parts.push(soft(step.queuePosition ? `Waits for its model's turn, ${step.queuePosition} in front.` : 'It is next for its model.'));
		}
		parts.push(figures(step));
		if (step.output) parts.push(el('h3', {}, 'Output'), valueView(step.output, { name: step.key, open: isInner ? 1 : 2 }));
		return parts;
	}

	function inputs(node) {
		const from = run.graph.edges.filter(edge => edge.to === node.id);
		const config = findConfig(node);
		return el('details', { class: 'fold', open: !run.steps.has(keyOf(node.id)) }, el('summary', {}, 'Input and settings'), el('div', { class: 'stack small' },
			from.length > 0 && el('p', {}, 'Comes after ', from.map((edge, i) => [i ? ', ' : '', button(run.nameOf(edge.from), () => onchoose(edge.from), { class: 'link' }), edge.when ? ` (${edge.when})` : ''])),
			from.length === 0 && at(run.doc.root, 'inputs')?.t === 'o' && view(run.doc, at(run.doc.root, 'inputs'), { label: 'Inputs' }),
			config && view(run.doc, config, { open: 3, label: 'Settings of the node' })));
	}

	function findConfig(node) {
		const definition = at(run.doc.root, 'definition');
		const source = definition?.t === 'o' ? definition : at(run.doc.root, 'workflow');
		const list = at(source, 'nodes') || at(at(source, 'graph_config'), 'nodes') || at(at(source, 'workflow'), 'nodes');
		const found = list?.items.find(([key, item]) => key === node.id || ['id', 'node_id'].some(name => at(item, name)?.v === node.id));
		return found ? at(found[1], 'config') || found[1] : null;
	}

	const isTry = step => step.outcome !== 'opened';

	function attemptsOf(key) {
		const tries = run.attempts.filter(step => step.key === key && isTry(step));
		if (tries.length < 2) return null;
		return el('div', { class: 'stack small' }, el('h3', {}, 'Attempts'), el('div', { class: 'scroll' }, el('table', {}, el('tbody', {}, tries.map(step => el('tr', {},
			el('td', { class: 'num' }, step.attempt), el('td', {}, state(step.status)),
			el('td', { class: 'num' }, step.startedAt && step.finishedAt ? span(ms(step.finishedAt) - ms(step.startedAt)) : ''),
			el('td', { class: 'soft', dir: 'auto' }, step.error ? `${step.error.code}: ${step.error.message}` : step.dueAt ? `again ${when(step.dueAt)}` : '')))))));
	}

	/** A part that shows one step: drawn anew only if what it shows has changed. */
	function drawPart(part, look, content) {
		if (part.drawn === look) return;
		part.drawn = look;
		live.delete(part.key);
		rates.delete(part.key);
		put(part.content, content());
		part.content.hidden = !part.content.childElementCount;
		live.get(part.key)?.text.end();
	}

	function fill(part) {
		const step = run.steps.get(part.key);
		if (step && part.root.open) drawPart(part, part.look, () => [stepView(step, true), attemptsOf(part.key)]);
	}

	function begin(node) {
		live.clear();
		rates.clear();
		const status = el('span', {});
		const retry = button('Retry from here', () => onretry(node.id), { class: 'small', picture: 'retrying', hidden: true });
		const back = button('', onclose, { class: 'small' });
		const own = { key: keyOf(node.id), content: el('div', { class: 'stack' }), drawn: null };
		const heading = el('h3', {});
		const more = soft();
		const list = el('div', { class: 'stack small' });
		const inside = el('div', { class: 'stack small', hidden: true }, heading, list, more);
		shown = { id: node.id, status, retry, back, own, heading, more, list, inside, inner: new Map(), busy: null, state: null };
		put(root,
			el('header', {}, el('div', { class: 'grow' }, el('h2', { class: 'cut', dir: 'auto', title: node.name }, node.name), el('p', { class: 'soft mono cut' }, `${node.id} · ${node.type}`)),
				status, retry, back),
			el('div', { class: 'pad stack' }, own.content, inside, inputs(node)));
	}

	function innerPart(key) {
		const content = el('div', { class: 'stack small' });
		const summary = el('summary', {});
		const part = { key, content, summary, root: el('details', { class: 'fold' }, summary, content), look: '', drawn: null, status: '', isHeld: false };
		part.root.addEventListener('toggle', () => fill(part));
		// What somebody has touched is not closed again by itself.
		for (const sign of ['pointerdown', 'keydown', 'wheel']) part.root.addEventListener(sign, () => { part.isHeld = true; }, { passive: true });
		return part;
	}

	function open(part) {
		part.root.open = true;
		fill(part);
	}

	/** The part of what runs is open; that of what ran before it closes, unless somebody has touched it or it failed. */
	function openBusy(busy) {
		const last = shown.inner.get(shown.busy);
		shown.busy = busy.key;
		const part = shown.inner.get(busy.key);
		if (part && !part.root.open) { part.isByItself = true; open(part); }
		if (!last?.isByItself || last.isHeld || last.status === 'failed') return;
		last.root.open = false;
		last.drawn = null;
		live.delete(last.key);
		rates.delete(last.key);
		put(last.content);
	}

	function drawInner(inner, lookOf, key) {
		const listed = inner.slice(0, MOST_INNER);
		const there = new Set(listed.map(step => step.key));
		for (const gone of [...shown.inner.keys()].filter(one => !there.has(one))) {
			shown.inner.delete(gone);
			live.delete(gone);
			rates.delete(gone);
		}
		for (const step of listed) if (!shown.inner.has(step.key)) shown.inner.set(step.key, innerPart(step.key));
		arrange(shown.list, listed.map(step => shown.inner.get(step.key).root));
		for (const step of listed) {
			const part = shown.inner.get(step.key);
			const look = lookOf(step);
			if (part.look === look) continue;
			part.look = look;
			if (part.status !== step.status) put(part.summary, el('span', { class: `state s-${step.status}` }, icon(step.status), step.key));
			if (step.status === 'failed' && part.status !== 'failed') part.root.open = true;
			part.status = step.status;
			fill(part);
		}
		if (key !== shown.key && shown.inner.has(key)) open(shown.inner.get(key));
		shown.key = key;
		const busy = inner.findLast(step => step.status === 'running');
		if (!key && busy && busy.key !== shown.busy) openBusy(busy);
		shown.inside.hidden = !inner.length;
		say(shown.heading, `${count(inner.length)} steps inside`);
		shown.more.hidden = inner.length <= MOST_INNER;
		say(shown.more, `${inner.length - MOST_INNER} more are not listed; the timeline has them.`);
	}

	function show(id, key) {
		const node = run.graph.nodes.find(one => one.id === id);
		if (!node) { put(root); shown = null; return; }
		if (shown?.id !== id) begin(node);
		const { own } = shown;
		const step = run.steps.get(own.key);
		const inner = run.stepsOf(id).filter(one => one.key !== own.key);
		const tries = new Map();
		for (const one of run.attempts) if (isTry(one)) tries.set(one.key, (tries.get(one.key) || 0) + 1);
		const lookOf = one => JSON.stringify([one.status, one.attempt, one.finishedAt, !one.finishedAt && run.isOver, Boolean(one.output), one.error?.code, one.queuePosition, tries.get(one.key)]);
		const now = run.states().get(id)?.status;
		if (shown.state !== now) put(shown.status, now && state(now, true));
		shown.state = now;
		shown.retry.hidden = !(canAct() && run.status === 'failed' && (step || inner.length));
		say(shown.back, run.isOver ? 'Result' : 'Close');
		drawPart(own, step ? lookOf(step) : JSON.stringify([inner.length > 0, run.isOver]),
			() => [step ? stepView(step) : inner.length ? null : soft(run.isOver ? 'This node did not run.' : 'It has not begun yet.'), attemptsOf(own.key)]);
		drawInner(inner, lookOf, key);
	}

	return {
		root,
		show,
		/** Text was added, or thrown away if added is null. */
		grow(key, added, id, chosen) {
			const there = live.get(key);
			if (added && there && (!added.thinking || there.thinking)) {
				if (added.text) there.text.append(added.text);
				if (added.thinking) there.thinking.append(added.thinking);
				return;
			}
			const part = shown?.id !== id ? null : shown.own.key === key ? shown.own : shown.inner.get(key);
			if (part) part.drawn = null;
			if (part?.root) fill(part); else show(id, chosen);
		},
		tick() {
			for (const [key, place] of rates) {
				const speed = run.speed(key);
				say(place, speed ? speed.toFixed(1) : '–');
			}
		},
		forget() { shown = null; },
	};
}
