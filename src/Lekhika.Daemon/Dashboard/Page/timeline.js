// Where the time went, attempt by attempt, by the server's own counters.

import { el, icon, put, quiet, soft } from './dom.js';
import { ms, span } from './text.js';

const PARTS = [['queue', 'queue_ms', 'Waiting for the model'], ['load', 'load_ms', 'Loading the model'], ['prompt', 'prompt_ms', 'Reading the prompt'],
	['generation', 'generation_ms', 'Writing']];
const MOST_ROWS = 500;

function rowOf(step, begin, whole, onchoose) {
	const from = ms(step.startedAt);
	const to = ms(step.finishedAt) ?? Math.max(from, Date.now());
	const place = at => Math.min(100, Math.max(0, (at - begin) / whole * 100));
	const track = el('span', { class: 'track' });
	const told = [];
	const metrics = step.metrics || {};
	let at = from;
	// What the counters tell belongs to the last calls of the step, so it is laid against its end.
	const known = PARTS.reduce((sum, [, key]) => sum + (metrics[key] || 0), 0);
	if (step.finishedAt && known > 0 && known < to - from) {
		at = to - known;
		track.append(el('i', { class: `seg work s-${step.status}`, 'left%': place(from), 'width%': place(at) - place(from) }));
	}
	for (const [name, key, label] of PARTS) {
		const took = metrics[key] || 0;
		if (took <= 0) continue;
		track.append(el('i', { class: `seg ${name}`, 'left%': place(at), 'width%': Math.max(0.15, place(at + took) - place(at)) }));
		told.push(`${label} ${span(took)}`);
		at += took;
	}
	if (!told.length) {
		const isNow = !step.finishedAt && step.status === 'running';
		track.append(el('i', { class: `seg ${isNow ? 'now' : 'work'} s-${step.status}`, 'left%': place(from), 'width%': Math.max(0.3, place(to) - place(from)) }));
	}
	const name = step.attempt > 1 ? `${step.key} · attempt ${step.attempt}` : step.key;
	const said = `${name}, ${step.status}, ${span(to - from)}${told.length ? `: ${told.join(', ')}` : ''}`;
	return el('button', { type: 'button', class: 'gantt-row', 'data-row': `${step.key} ${step.attempt}`, title: said, 'aria-label': said, onclick: () => onchoose(step.key) },
		el('span', { class: `row tight state s-${step.status}` }, icon(step.status), el('span', { class: 'cut grow', dir: 'auto' }, name)),
		track, el('span', { class: 'num soft' }, span(to - from)));
}

/** Draws the attempts into a place. */
export function drawTimeline(place, attempts, { createdAt, startedAt, onchoose }) {
	const rows = attempts.filter(step => step.startedAt);
	const had = place.contains(document.activeElement) ? document.activeElement.dataset.row : null;
	if (!rows.length) {
		put(place, el('div', { class: 'empty' }, icon('waiting'), el('strong', {}, 'Nothing has begun yet')));
		return;
	}
	const first = rows.reduce((least, step) => Math.min(least, ms(step.startedAt)), Infinity);
	const created = ms(createdAt);
	const last = rows.reduce((most, step) => Math.max(most, ms(step.finishedAt) ?? Date.now()), 0);
	// The time in the queue is shown, unless it would leave no room for the rest.
	const begin = created && first - created < (last - first) * 3 ? Math.min(created, first) : first;
	const whole = Math.max(1, last - begin);
	const lines = [];
	if (first - begin > whole / 200) {
		lines.push(el('div', { class: 'gantt-row' }, quiet('in the queue'),
			el('span', { class: 'track' }, el('i', { class: 'seg queue', 'left%': 0, 'width%': (Math.min(ms(startedAt) ?? first, first) - begin) / whole * 100 })),
			el('span', { class: 'num soft' }, span(first - begin))));
	}
	lines.push(...rows.slice(0, MOST_ROWS).map(step => rowOf(step, begin, whole, onchoose)));
	put(place,
		el('div', { class: 'legend', 'aria-hidden': 'true' }, PARTS.map(([name, , label]) => el('span', {}, el('i', { class: `seg ${name}` }), label)),
			el('span', {}, el('i', { class: 'seg work s-completed' }), 'Other work')),
		el('div', { class: 'axis', 'aria-hidden': 'true' }, el('span', {}), el('div', {}, [0, 0.25, 0.5, 0.75, 1].map(part => el('span', {}, span(whole * part)))), el('span', {})),
		lines,
		rows.length > MOST_ROWS && soft(`${rows.length - MOST_ROWS} more attempts are not drawn.`));
	if (had) lines.find(line => line.dataset.row === had)?.focus({ preventScroll: true });
}
