// The graph as SVG, drawn once; afterwards only classes and marks of single nodes change.

import { el, icon, iconButton, put, quiet, state, svg } from './dom.js';
import { layout } from './layout.js';

export const MOST_DRAWN = 300;
const W = 176;
const H = 48;

/** Cuts a name to a width in pixels; wide scripts count double. */
function fit(name, width) {
	let left = width;
	let cut = '';
	for (const sign of String(name)) {
		left -= sign.codePointAt(0) > 0x2e7f ? 13 : 7.1;
		if (left < 0) return `${cut.trimEnd()}…`;
		cut += sign;
	}
	return cut;
}

/** A view of a graph: {root, update(states), choose(id), centre(id)}. */
export function graphView(graph, { onchoose, onclear, small } = {}) {
	if (graph.nodes.length === 0) return listView(graph, { onchoose, note: 'This definition has no nodes.' });
	if (graph.nodes.length > MOST_DRAWN) {
		return listView(graph, { onchoose, note: `${graph.nodes.length} nodes are too many for a drawing; here they are as a list.` });
	}
	return drawing(graph, { onchoose, onclear, small });
}

function listView(graph, { onchoose, note }) {
	const rows = new Map();
	const list = el('ul', { class: 'nodes limit', 'aria-label': 'Nodes' });
	for (const node of graph.nodes) {
		const mark = el('span', { class: 'nowrap' });
		const row = el('button', { type: 'button', onclick: () => onchoose?.(node.id) },
			el('span', { class: 'cut grow', dir: 'auto' }, node.name), quiet(node.type), mark);
		rows.set(node.id, { row, mark });
		list.append(el('li', {}, row));
	}
	return {
		root: el('div', {}, el('p', { class: 'pad soft' }, note), list),
		update(states) {
			for (const [id, { mark }] of rows) {
				const status = states.get(id)?.status;
				if (mark.dataset.status === status) continue;
				mark.dataset.status = status;
				put(mark, status && state(status));
			}
		},
		choose(id) { for (const [key, { row }] of rows) row.classList.toggle('chosen', key === id); },
		centre(id) { rows.get(id)?.row.scrollIntoView({ block: 'nearest' }); },
	};
}

function curve(points, vertical, isBack) {
	const half = (vertical ? H : W) / 2;
	const ends = points.map(p => ({ ...p }));
	const key = vertical ? 'y' : 'x';
	ends[0][key] += isBack ? -half : half;
	ends[ends.length - 1][key] += isBack ? half + 7 : -half - 7;
	let d = `M${ends[0].x} ${ends[0].y}`;
	for (let i = 1; i < ends.length; i++) {
		const [a, b] = [ends[i - 1], ends[i]];
		const mid = (a[key] + b[key]) / 2;
		d += vertical ? `C${a.x} ${mid} ${b.x} ${mid} ${b.x} ${b.y}` : `C${mid} ${a.y} ${mid} ${b.y} ${b.x} ${b.y}`;
	}
	return { d, end: ends[ends.length - 1], middle: { x: (ends[0].x + ends[1].x) / 2, y: (ends[0].y + ends[1].y) / 2 } };
}

function drawing(graph, { onchoose, onclear, small }) {
	const vertical = matchMedia('(max-width: 700px)').matches;
	const plan = layout(graph.nodes, graph.edges, vertical ? { across: W + 18, along: H + 46, vertical } : { across: H + 22, along: W + 48, vertical });
	const world = svg('g');
	const surface = svg('svg', { role: 'group', 'aria-label': `Graph of ${graph.nodes.length} nodes` }, world);
	const root = el('div', { class: `graph${small ? ' small' : ''}` }, surface);
	const edges = plan.paths.map(({ edge, points, isBack }) => {
		const { d, end, middle } = curve(points, vertical, isBack);
		const line = svg('path', { class: 'edge', d });
		const head = svg('path', { class: 'edge-head', d: vertical
			? `M${end.x - 4.5} ${end.y}h9l-4.5 ${isBack ? -7 : 7}z` : `M${end.x} ${end.y - 4.5}v9l${isBack ? -7 : 7} -4.5z` });
		if (edge.when === 'error') line.classList.add('error');
		world.append(line, head);
		if (edge.when) world.append(svg('text', { class: 'edge-label', x: middle.x, y: middle.y - 5 }, fit(edge.when, 70)));
		return { edge, line, head };
	});
	const shapes = new Map();
	graph.nodes.forEach((node, i) => {
		const { x, y } = plan.places.get(node.id);
		const mark = svg('g', { class: 'mark', transform: `translate(${x - W / 2 + 12} ${y - 8})` });
		const sub = svg('text', { class: 'sub', x: x - W / 2 + 36, y: y + 14 }, fit(node.type, W - 46));
		const shape = svg('g', { class: 'node', tabindex: i ? -1 : 0, role: 'button', 'aria-label': `${node.name}, ${node.type}` },
			svg('title', {}, node.name),
			svg('rect', { class: 'box', x: x - W / 2, y: y - H / 2, width: W, height: H, rx: 9 }),
			svg('rect', { class: 'tint', x: x - W / 2, y: y - H / 2, width: W, height: H, rx: 9 }),
			mark, svg('text', { class: 'title', x: x - W / 2 + 36, y: y - 2 }, fit(node.name, W - 46)), sub);
		mark.append(icon('pending'));
		shape.addEventListener('click', () => onchoose?.(node.id));
		shape.addEventListener('keydown', event => {
			if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); onchoose?.(node.id); }
			if (event.key.startsWith('Arrow')) { event.preventDefault(); event.stopPropagation(); move(node.id, event.key); }
		});
		world.append(shape);
		shapes.set(node.id, { shape, mark, sub, node, x, y });
	});

	let [scale, left, top] = [1, 0, 0];
	const size = () => ({ w: root.clientWidth || 800, h: root.clientHeight || 400 });
	const show = () => world.setAttribute('transform', `translate(${left} ${top}) scale(${scale})`);
	const zoom = (factor, cx, cy) => {
		const next = Math.min(2.2, Math.max(0.05, scale * factor));
		left = cx - (cx - left) * next / scale;
		top = cy - (cy - top) * next / scale;
		scale = next;
		show();
	};
	const whole = () => {
		if (!vertical) root.style.height = `${Math.min(small ? 330 : 460, Math.max(230, plan.height + 110))}px`;
		const { w, h } = size();
		const all = Math.min((w - 40) / plan.width, (h - 40) / plan.height, 1.1);
		// Too small to read is no use: then it begins at its beginning.
		scale = Math.max(all, 0.8);
		left = plan.width * scale <= w ? (w - plan.width * scale) / 2 : vertical ? (w - plan.width * scale) / 2 : 20;
		top = plan.height * scale <= h ? (h - plan.height * scale) / 2 : vertical ? 16 : (h - plan.height * scale) / 2;
		show();
	};
	const overview = () => {
		const { w, h } = size();
		scale = Math.min((w - 30) / plan.width, (h - 30) / plan.height, 1.1);
		[left, top] = [(w - plan.width * scale) / 2, (h - plan.height * scale) / 2];
		show();
	};
	const centre = id => {
		const at = shapes.get(id);
		if (!at) return;
		const { w, h } = size();
		const [x, y] = [at.x * scale + left, at.y * scale + top];
		if (x > 110 && x < w - 110 && y > 45 && y < h - 60) return;
		[left, top] = [w / 2 - at.x * scale, h / 2 - at.y * scale];
		show();
	};
	const focus = id => {
		for (const [key, { shape }] of shapes) shape.setAttribute('tabindex', key === id ? 0 : -1);
		shapes.get(id)?.shape.focus({ preventScroll: true });
		centre(id);
	};
	const move = (id, key) => {
		const from = shapes.get(id);
		const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key] || [0, 0];
		let best = null;
		for (const [other, to] of shapes) {
			const ahead = (to.x - from.x) * dx + (to.y - from.y) * dy;
			if (ahead < 5) continue;
			const cost = ahead + 2.5 * Math.abs((to.x - from.x) * dy + (to.y - from.y) * dx);
			if (!best || cost < best.cost) best = { other, cost };
		}
		if (best) focus(best.other);
	};

	const touches = new Map();
	let pressed = null;
	surface.addEventListener('pointerdown', event => { touches.set(event.pointerId, event); pressed = event; });
	// A click beside the nodes, not the end of a drag.
	surface.addEventListener('click', event => {
		const isDrag = !pressed || Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) > 4;
		if (!isDrag && !event.target.closest('.node')) onclear?.();
	});
	surface.addEventListener('pointermove', event => {
		const before = touches.get(event.pointerId);
		if (!before) return;
		const bounds = root.getBoundingClientRect();
		if (touches.size === 2) {
			const other = [...touches.values()].find(touch => touch.pointerId !== event.pointerId);
			const apart = touch => Math.hypot(touch.clientX - other.clientX, touch.clientY - other.clientY) || 1;
			zoom(apart(event) / apart(before), (event.clientX + other.clientX) / 2 - bounds.left, (event.clientY + other.clientY) / 2 - bounds.top);
		} else {
			left += event.clientX - before.clientX;
			top += event.clientY - before.clientY;
			if (Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) > 2) surface.setPointerCapture(event.pointerId);
			show();
		}
		touches.set(event.pointerId, event);
	});
	for (const end of ['pointerup', 'pointercancel', 'pointerleave']) surface.addEventListener(end, event => touches.delete(event.pointerId));
	surface.addEventListener('wheel', event => {
		// The page scrolls as ever; with Ctrl, as pinching on a pad sends it, the drawing zooms.
		if (!event.ctrlKey && !event.metaKey) return;
		event.preventDefault();
		const bounds = root.getBoundingClientRect();
		zoom(Math.exp(-event.deltaY / 250), event.clientX - bounds.left, event.clientY - bounds.top);
	}, { passive: false });
	const middle = factor => () => { const { w, h } = size(); zoom(factor, w / 2, h / 2); };
	root.append(el('div', { class: 'tools' }, iconButton('minus', 'Smaller', middle(0.8), { class: 'icon small' }),
		iconButton('plus', 'Larger', middle(1.25), { class: 'icon small' }), iconButton('fit', 'Show the whole graph', overview, { class: 'icon small' })));
	new ResizeObserver((entries, observer) => { if (root.clientWidth) { whole(); observer.disconnect(); } }).observe(root);

	return {
		root,
		update(states) {
			for (const [id, at] of shapes) {
				const now = states.get(id) || {};
				const look = `${now.status || ''}|${now.sub || ''}`;
				if (at.look === look) continue;
				at.look = look;
				const chosen = at.shape.classList.contains('chosen');
				at.shape.setAttribute('class', `node${now.status ? ` s-${now.status}` : ''}${chosen ? ' chosen' : ''}`);
				at.shape.setAttribute('aria-label', `${at.node.name}, ${at.node.type}${now.status ? `, ${now.status}` : ''}`);
				at.mark.replaceChildren(icon(now.status || 'pending', true));
				at.sub.textContent = fit(now.sub || at.node.type, W - 46);
			}
			for (const { edge, line, head } of edges) {
				const [a, b] = [states.get(edge.from), states.get(edge.to)];
				const labelled = !edge.when || !a?.branch || a.branch === edge.when;
				const taken = Boolean(a && b && a.status === 'completed' && b.status && !['skipped', 'pending'].includes(b.status) && labelled);
				line.classList.toggle('taken', taken);
				head.classList.toggle('taken', taken);
			}
		},
		choose(id) { for (const [key, { shape }] of shapes) shape.classList.toggle('chosen', key === id); },
		centre,
	};
}

/** The legend of states, for those who do not know the marks. */
export const legend = () => el('div', { class: 'legend' }, ['pending', 'running', 'waiting', 'completed', 'failed', 'skipped'].map(name => state(name)));
