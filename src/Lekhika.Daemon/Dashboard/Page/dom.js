// Elements are made here and nowhere else. Text always goes through text nodes; nothing on this page is ever read as markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, props, children) {
	for (const [key, value] of Object.entries(props || {})) {
		if (value == null || value === false) continue;
		if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
		else if (key === 'class') node.setAttribute('class', value);
		else if (key === 'width%') node.style.width = `${value}%`;
		else if (key === 'left%') node.style.left = `${value}%`;
		else if (key === 'value' || key === 'checked' || key === 'disabled' || key === 'indeterminate') node[key] = value;
		else node.setAttribute(key, value === true ? '' : String(value));
	}
	add(node, children);
	return node;
}

export function add(node, children) {
	for (const child of children.flat(3)) {
		if (child == null || child === false) continue;
		node.append(child instanceof Node ? child : document.createTextNode(String(child)));
	}
	return node;
}

/** An HTML element: el('p', {class: 'soft'}, 'text', other). */
export const el = (tag, props, ...children) => fill(document.createElement(tag), props, children);

/** An SVG element. */
export const svg = (tag, props, ...children) => fill(document.createElementNS(SVG, tag), props, children);

export const flow = (...children) => el('div', { class: 'row' }, children);
export const soft = (...children) => el('p', { class: 'soft' }, children);
export const quiet = (...children) => el('span', { class: 'soft' }, children);
export const fold = (summary, ...children) => el('details', { class: 'fold' }, el('summary', {}, summary), children);

/** Puts children in place of what is there. */
export function put(node, ...children) {
	node.replaceChildren();
	return add(node, children);
}

/** Has these children there, in this order, and touches no other: what stays keeps its focus, its place and what was typed into it. */
export function arrange(node, wanted) {
	const stays = new Set(wanted);
	for (const child of [...node.childNodes]) if (!stays.has(child)) child.remove();
	wanted.forEach((child, i) => { if (node.childNodes[i] !== child) node.insertBefore(child, node.childNodes[i] || null); });
}

/** Sets a text only where it differs, so that nothing is painted anew for nothing. */
export function say(node, text) {
	if (node.textContent !== text) node.textContent = text;
}

const SHAPES = {
	pending: ['M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11z'],
	running: ['M13.5 8A5.5 5.5 0 1 1 8 2.5'],
	waiting: ['M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11z', 'M8 5.2V8l1.9 1.4'],
	retrying: ['M13 8a5 5 0 1 1-1.6-3.7', 'M13.2 2v3h-3'],
	paused: ['M5.6 3.5v9', 'M10.4 3.5v9'],
	completed: ['M3.2 8.6l3.1 3.1L12.8 5'],
	failed: ['M4.2 4.2l7.6 7.6', 'M11.8 4.2l-7.6 7.6'],
	cancelled: ['M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11z', 'M4.3 11.7l7.4-7.4'],
	skipped: ['M3.5 8h9'],
	search: ['M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9z', 'M10.4 10.4l3.1 3.1'],
	all: ['M3 4.5h10', 'M3 8h10', 'M3 11.5h10'],
	graph: ['M3 3h4v3H3z', 'M9 10h4v3H9z', 'M5 6v3.5a2 2 0 0 0 2 2h2'],
	machine: ['M2.5 3h11v4h-11z', 'M2.5 9h11v4h-11z', 'M5 5h.01', 'M5 11h.01'],
	moon: ['M13 9.6A5.5 5.5 0 1 1 6.4 3a4.4 4.4 0 0 0 6.6 6.6z'],
	play: ['M5 3.2l7.5 4.8L5 12.8z'],
	stop: ['M4 4h8v8H4z'],
	copy: ['M6 6h7v7H6z', 'M10 6V3H3v7h3'],
	down: ['M8 2.5v8', 'M4.6 7.4L8 10.8l3.4-3.4', 'M3 13.5h10'],
	plus: ['M8 3v10', 'M3 8h10'],
	fit: ['M2.8 6V2.8H6', 'M10 2.8h3.2V6', 'M13.2 10v3.2H10', 'M6 13.2H2.8V10'],
	out: ['M9.5 3H3.5v10h6', 'M7 8h6.5', 'M11 5.5L13.5 8L11 10.5'],
	help: ['M5.8 6.1a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6', 'M8 12.2h.01'],
};
const NAMES = { pausing: 'paused', processing: 'running', queued: 'pending', minus: 'skipped', refresh: 'retrying' };

/** A small picture that says nothing to a screen reader: its meaning stands in words beside it. */
export function icon(name, turning) {
	const shape = SHAPES[NAMES[name] || name] || SHAPES.pending;
	const group = svg('g', { class: turning && (NAMES[name] || name) === 'running' ? 'turn' : null });
	for (const d of shape) group.append(svg('path', { d, fill: name === 'play' ? 'currentColor' : 'none' }));
	return svg('svg', { width: 16, height: 16, viewBox: '0 0 16 16', fill: 'none', stroke: 'currentColor', 'stroke-width': 1.7,
		'stroke-linecap': 'round', 'stroke-linejoin': 'round', 'aria-hidden': 'true' }, group);
}

/** A status in colour, icon and word. */
export const state = (status, pill) =>
	el('span', { class: `state s-${status}${pill ? ' pill' : ''}` }, icon(status, true), status);

export const button = (label, onclick, props) => {
	const { picture, ...rest } = props || {};
	return el('button', { type: 'button', onclick, ...rest }, picture && icon(picture), label);
};

/** A button that is only a picture, with its name for those who hear or hover. */
export const iconButton = (picture, label, onclick, props) =>
	el('button', { type: 'button', class: 'icon quiet', 'aria-label': label, title: label, onclick, ...props }, icon(picture));

export const empty = (picture, title, ...more) => el('div', { class: 'empty' }, icon(picture), el('strong', {}, title), ...more);

export function skeleton(rows = 5) {
	const lines = Array.from({ length: rows }, (_, i) => {
		const line = el('span', { class: 'skeleton' });
		line.style.width = `${88 - (i * 17) % 40}%`;
		return line;
	});
	return el('div', { class: 'pad stack', 'aria-busy': 'true' }, el('span', { class: 'hush' }, 'Loading'), lines);
}

export function toast(text, bad) {
	const box = document.getElementById('toasts');
	const item = el('div', { class: `toast${bad ? ' bad' : ''}` }, text);
	box.append(item);
	while (box.childElementCount > 4) box.firstChild.remove();
	setTimeout(() => item.remove(), bad ? 9000 : 4500);
}

/** Asks before something that cannot be taken back. Resolves with the form's values, or null. */
export function ask(title, { text, fields = [], yes = 'OK', danger }) {
	return new Promise(resolve => {
		const inputs = fields.map(field => [field.name, field.input]);
		const dialog = el('dialog', { 'aria-labelledby': 'ask-title' },
			el('form', { method: 'dialog' },
				el('h2', { id: 'ask-title' }, title),
				text && soft(text),
				fields.map(field => el('label', { class: 'field' }, field.label, field.input, field.hint && el('small', {}, field.hint))),
				el('div', { class: 'buttons' },
					el('button', { type: 'button', onclick: () => dialog.close() }, 'Not now'),
					el('button', { type: 'submit', class: danger ? 'primary danger' : 'primary' }, yes))));
		let answer = null;
		dialog.firstChild.addEventListener('submit', () => {
			answer = Object.fromEntries(inputs.map(([name, input]) => [name, input.type === 'checkbox' ? input.checked : input.value]));
		});
		dialog.addEventListener('close', () => { dialog.remove(); resolve(answer); });
		document.body.append(dialog);
		dialog.showModal();
	});
}

export async function copy(text, what = 'Copied') {
	try {
		await navigator.clipboard.writeText(text);
	} catch {
		// Without https there is no clipboard: the older way still works.
		const area = el('textarea', { value: text });
		document.body.append(area);
		area.select();
		document.execCommand('copy');
		area.remove();
	}
	toast(what);
}

export function download(name, text, type) {
	const url = URL.createObjectURL(new Blob([text], { type }));
	const link = el('a', { href: url, download: name });
	document.body.append(link);
	link.click();
	link.remove();
	setTimeout(() => URL.revokeObjectURL(url), 10000);
}
