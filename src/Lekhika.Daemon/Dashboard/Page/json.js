// JSON as it was written: JSON.parse would round 64-bit numbers, so values keep their place in the text, and its very digits are shown, copied and saved.

import { button, copy, el, quiet, flow } from './dom.js';

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORDS = { true: true, false: false, null: null };

/** Reads a text into {t, s, e, …}: t is o(bject), a(rray), s(tring), n(umber), b(oolean), z (null); s and e are where it stands. */
export function parse(text) {
	let at = 0;
	let depth = 0;

	const fail = message => {
		const error = new SyntaxError(message);
		error.at = at;
		throw error;
	};
	const blank = () => { SPACE.lastIndex = at; SPACE.test(text); at = SPACE.lastIndex; };

	function string() {
		const start = at++;
		for (;;) {
			const code = text.charCodeAt(at);
			if (code === 34) break;
			if (code === 92) at++;
			else if (Number.isNaN(code) || code < 32) fail(Number.isNaN(code) ? 'this string has no end' : 'a line break or control character inside a string');
			at++;
		}
		at++;
		try {
			return { t: 's', s: start, e: at, v: JSON.parse(text.slice(start, at)) };
		} catch {
			at = start;
			return fail('this string has an escape that is not known');
		}
	}

	function value() {
		blank();
		const start = at;
		const sign = text[at];
		if (sign === '"') return string();
		if (sign === '{' || sign === '[') {
			if (++depth > 500) fail('too deeply nested');
			const close = sign === '{' ? '}' : ']';
			const node = { t: sign === '{' ? 'o' : 'a', s: start, e: 0, items: [] };
			at++;
			blank();
			if (text[at] === close) at++;
			else {
				for (;;) {
					blank();
					let key = null;
					if (sign === '{') {
						if (text[at] !== '"') fail('expected a name in double quotes');
						key = string().v;
						blank();
						if (text[at] !== ':') fail('expected a colon after the name');
						at++;
					}
					node.items.push([key, value()]);
					blank();
					if (text[at] === ',') { at++; continue; }
					if (text[at] === close) { at++; break; }
					fail(`expected a comma or ${close}`);
				}
			}
			depth--;
			node.e = at;
			return node;
		}
		for (const word in WORDS) {
			if (text.startsWith(word, at)) {
				at += word.length;
				return { t: word === 'null' ? 'z' : 'b', s: start, e: at, v: WORDS[word] };
			}
		}
		NUMBER.lastIndex = at;
		if (!NUMBER.test(text)) fail(at >= text.length ? 'the text ends too early' : `'${text[at]}' was not expected here`);
		at = NUMBER.lastIndex;
		return { t: 'n', s: start, e: at, v: Number(text.slice(start, at)) };
	}

	const root = value();
	blank();
	if (at < text.length) fail('there is more after the end of the value');
	return { text, root };
}

/** Plain values to work with; numbers may be rounded, so never shown where exactness matters. */
export function plain(node) {
	if (node.t === 'o') return Object.fromEntries(node.items.map(([key, item]) => [key, plain(item)]));
	if (node.t === 'a') return node.items.map(([, item]) => plain(item));
	return node.v;
}

export function get(node, key) {
	if (!node) return null;
	if (node.t === 'o') { const found = node.items.findLast(([name]) => name === key); return found ? found[1] : null; }
	return node.t === 'a' ? node.items[key]?.[1] ?? null : null;
}

/** The node at a path such as workflow.nodes[3].config.prompt, or the nearest one above it. */
export function find(root, path) {
	let node = root;
	for (const part of path.match(/[^.[\]]+/g) || []) {
		const next = get(node, part);
		if (!next) break;
		node = next;
	}
	return node;
}

/** The value with line breaks and indents of our own, and every number and string as it stood. */
export function pretty(doc, node, indent = '') {
	if ((node.t !== 'o' && node.t !== 'a') || node.items.length === 0) return doc.text.slice(node.s, node.e);
	const deeper = `${indent}  `;
	const lines = node.items.map(([key, item]) => `${deeper}${key === null ? '' : `${JSON.stringify(key)}: `}${pretty(doc, item, deeper)}`);
	return `${node.t === 'o' ? '{' : '['}\n${lines.join(',\n')}\n${indent}${node.t === 'o' ? '}' : ']'}`;
}

const LONG = 2000;
const MANY = 200;

function leaf(doc, node) {
	const raw = doc.text.slice(node.s, node.e);
	const text = node.t === 's' ? `"${node.v}"` : raw;
	if (text.length <= LONG) return el('span', { class: `t-${node.t}`, dir: node.t === 's' ? 'auto' : null }, text);
	const span = el('span', { class: `t-${node.t}` }, `${text.slice(0, LONG)}… `);
	const more = button(`show all ${text.length.toLocaleString()} characters`, () => { span.textContent = text; more.remove(); }, { class: 'link' });
	return el('span', {}, span, more);
}

function branch(doc, node, key, open) {
	const name = key === null ? null : el('span', { class: 'k' }, `${key}: `);
	if (node.t !== 'o' && node.t !== 'a') return el('li', {}, name, leaf(doc, node));
	const [first, last] = node.t === 'o' ? '{}' : '[]';
	if (node.items.length === 0) return el('li', {}, name, first + last);
	const item = el('li', {});
	const list = el('ul', {});
	const sum = quiet(` ${node.items.length}${node.t === 'o' ? ' fields' : ' items'} ${last}`);
	const end = el('span', {}, last);
	let shown = 0;
	const show = () => {
		list.querySelector(':scope > .more')?.remove();
		for (const [childKey, child] of node.items.slice(shown, shown + MANY)) {
			list.append(branch(doc, child, node.t === 'o' ? childKey : null, open > 1 ? open - 1 : 0));
		}
		shown += MANY;
		if (shown < node.items.length) list.append(el('li', { class: 'more' }, button(`${node.items.length - shown} more`, show, { class: 'link' })));
	};
	const fold = button('', () => set(list.hidden), { class: 'fold' });
	const set = isOpen => {
		if (isOpen && shown === 0) show();
		list.hidden = end.hidden = !isOpen;
		sum.hidden = isOpen;
		fold.textContent = isOpen ? '▾' : '▸';
		fold.setAttribute('aria-expanded', String(isOpen));
		fold.setAttribute('aria-label', `${isOpen ? 'Close' : 'Open'} ${key ?? 'value'}`);
	};
	set(open > 0 && node.items.length <= MANY);
	item.append(fold, ...(name ? [name] : []), first, sum, list, end);
	return item;
}

/** A tree that can be opened and closed, with a button that copies exactly what was stored. */
export function view(doc, node, { open = 2, label = 'JSON' } = {}) {
	return el('div', { class: 'stack small' },
		flow(button('Copy JSON', () => copy(pretty(doc, node), 'JSON copied'), { class: 'small', picture: 'copy' })),
		el('div', { class: 'json', tabindex: 0, role: 'group', 'aria-label': label }, el('ul', {}, branch(doc, node, null, open))));
}
