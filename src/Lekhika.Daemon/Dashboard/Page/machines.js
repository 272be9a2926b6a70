// Workers, lanes, and how the queue has gone since the page was opened.

import * as api from './api.js';
import { el, empty, icon, put, quiet, flow, svg, toast } from './dom.js';
import { every } from './live.js';
import { ago, bytes, compact, count, ms, span } from './text.js';
import { pulse } from './shared.js';

/** A line over time, with its greatest value written on it. */
function chart(points, color, unit, label) {
	const [w, h] = [600, 130];
	const peak = Math.max(0, ...points.map(point => point.value));
	const first = points[0]?.at ?? 0;
	const end = points.at(-1)?.at ?? 0;
	const length = Math.max(60000, end - first);
	const x = at => w - 4 - (end - at) / length * (w - 8);
	const y = value => h - 6 - value / (peak || 1) * (h - 16);
	const line = points.map((point, i) => `${i ? 'L' : 'M'}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`).join('');
	const last = points.at(-1);
	const drawing = svg('svg', { class: 'chart', viewBox: `0 0 ${w} ${h}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `${label}: now ${unit(last?.value ?? 0)}, at most ${unit(peak)}` },
		[0, 0.5, 1].map(part => svg('line', { class: 'grid', x1: 0, x2: w, y1: y((peak || 1) * part), y2: y((peak || 1) * part) })));
	if (points.length > 1) {
		const area = svg('path', { class: 'area', d: `${line}L${x(end)} ${h - 6}L${x(first)} ${h - 6}Z` });
		const stroke = svg('path', { class: 'line', d: line });
		area.style.fill = stroke.style.stroke = `var(--${color})`;
		drawing.append(area, stroke);
	}
	return el('section', { class: 'card', 'aria-label': label }, el('div', { class: 'pad stack small' },
		flow(el('h2', { class: 'grow' }, label), el('span', { class: 'soft num' }, `peak ${unit(peak)}`)), el('p', { class: 'big' }, unit(last?.value ?? 0)), drawing,
		el('div', { class: 'row soft hint' }, el('span', { class: 'grow' }, ago(end - length)), el('span', {}, 'now'))));
}

const fact = (name, value, title) => el('div', {}, el('dt', {}, name), el('dd', { title }, value));

function laneCard(lane, uptime) {
	const busy = { entering: 's-waiting', serving: 's-running' }[lane.state] || 's-pending';
	return el('section', { class: 'card pad stack small', 'aria-label': `Lane ${lane.model}` },
		flow(el('h2', { class: 'grow cut', title: lane.model }, lane.model), el('span', { class: `state pill ${busy}` }, icon(busy.slice(2)), lane.state)),
		el('p', { class: 'soft cut' }, lane.endpoint, lane.runner && ` · ${lane.runner}`),
		el('dl', { class: 'facts' }, fact('Waiting', count(lane.depth)), fact('In flight', count(lane.inFlight)), fact('Oldest', lane.oldestSeconds > 0 ? span(lane.oldestSeconds * 1000) : '–'), fact('Served', compact(lane.served)),
			lane.failed > 0 && fact('Failed', count(lane.failed)), fact('Swaps per hour', (lane.swaps * 3600 / Math.max(3600, uptime)).toFixed(1), `${lane.swaps} since the daemon began`)));
}

function workerCard(worker) {
	const beat = worker.heartbeatAt ? Date.now() - ms(worker.heartbeatAt) : null;
	const use = worker.slots ? Math.min(100, worker.held / worker.slots * 100) : 0;
	return el('section', { class: 'card pad stack small', 'aria-label': `Worker ${worker.workerId}` },
		flow(el('span', { class: `dot ${worker.alive ? 'good' : 'bad'}` }), el('h2', { class: 'grow cut', title: worker.workerId }, worker.workerId), el('span', { class: `state ${worker.alive ? 's-completed' : 's-failed'}` }, worker.alive ? 'alive' : 'gone')),
		el('p', { class: 'soft cut' }, [worker.host, worker.url].filter(Boolean).join(' · ')),
		el('div', { class: 'meter', role: 'img', 'aria-label': `${worker.held} of ${worker.slots} slots` }, el('i', { 'width%': use })),
		el('dl', { class: 'facts' }, fact('Holds', `${count(worker.held)} of ${count(worker.slots)} slots`), fact('Heartbeat', beat === null ? '–' : beat < 3000 ? 'just now' : `${span(beat)} ago`), fact('Version', worker.version || '–'), fact('Since', ago(worker.startedAt))));
}

export function machinesScreen(place) {
	const charts = el('div', { class: 'tiles' });
	const lanes = el('div', { class: 'tiles' });
	const workers = el('div', { class: 'tiles' });
	const models = el('div', {});
	const problem = el('div', {});
	put(place, el('h1', {}, 'Machines'), problem, charts, el('h2', {}, 'Workers'), workers, el('h2', {}, 'Lanes'), lanes, models);
	let fleet = null;
	let isDrawn = false;

	function draw() {
		const worker = pulse.worker;
		if (!worker) return;
		isDrawn = true;
		put(problem, worker.database !== 'ok' && el('p', { class: 'alert' }, el('strong', {}, icon('failed'), `Database: ${worker.database}`)));
		const line = key => pulse.history.map(point => ({ at: point.at, value: point[key] }));
		put(charts, chart(line('queued'), 'running', value => count(Math.round(value)), 'Queue'), chart(line('perSecond'), 'completed', value => `${value < 10 ? value.toFixed(1) : compact(Math.round(value))}/s`, 'Finished by this worker'),
			pulse.queue && chart(line('oldest'), 'waiting', value => span(value * 1000), 'Age of the oldest in the queue'));
		put(lanes, worker.lanes?.length ? worker.lanes.map(lane => laneCard(lane, worker.uptime || 0)) : el('div', { class: 'card' }, empty('machine', 'No model has been asked yet')));
		put(workers, (fleet?.length ? fleet : [{ workerId: worker.workerId, alive: true, slots: worker.maxConcurrent, held: worker.activeExecutions, version: worker.version, startedAt: Date.now() - worker.uptime * 1000 }]).map(workerCard));
		put(models, worker.models?.length > 0 && el('section', { class: 'card', 'aria-label': 'Models' }, el('header', {}, el('h2', {}, 'Models')), el('div', { class: 'scroll' }, el('table', {}, el('tbody', {}, worker.models.map(model => el('tr', {},
			el('td', {}, model.name), el('td', { class: 'soft' }, model.endpoint), el('td', { class: 'num end' }, model.size ? bytes(model.size) : ''), el('td', { class: 'end' }, model.loaded ? el('span', { class: 'state s-completed' }, icon('completed'), 'loaded') : quiet('not loaded')))))))));
	}

	async function load() {
		fleet = (await api.optional('workers'))?.workers || [];
		draw();
	}

	// A pause holds still what is shown; what is opened meanwhile is drawn once.
	const isStill = () => pulse.paused && fleet !== null && isDrawn;
	let wasStill = false;
	const look = every(5000, async () => { if (!isStill()) await load(); });
	const unlisten = pulse.listen(() => {
		if (!isStill()) draw();
		if (wasStill && !pulse.paused) look.now();
		wasStill = pulse.paused;
	});
	return { title: 'Machines', stop() { look.stop(); unlisten(); }, keys: { r: () => load().catch(error => toast(error.message, true)) } };
}
