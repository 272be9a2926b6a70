// The list: counters that are the navigation, a search that lives in the address, pages by cursor, live until somebody selects.

import * as api from './api.js';
import { ask, button, el, empty, icon, put, quiet, flow, say, skeleton, state, toast } from './dom.js';
import { every } from './live.js';
import { ago, brief, compact, count, isOver, ms, shortId, span, when } from './text.js';
import { canAct, pulse } from './shared.js';

const STATUSES = ['pending', 'running', 'waiting', 'paused', 'completed', 'failed', 'cancelled'];
const KEYS = new Set(['status', 'workflow', 'user', 'model']);
const PAGE = 50;

/** status:failed workflow:"A name" free words → {status, workflow, user, model, q} */
export function readSearch(text) {
	const wanted = {};
	const words = [];
	for (const [, key, quoted, word] of text.matchAll(/(?:(\w+):)?(?:"([^"]*)"|(\S+))/g)) {
		const value = quoted ?? word;
		if (key && KEYS.has(key.toLowerCase())) wanted[key.toLowerCase()] = value;
		else words.push(key ? `${key}:${value}` : value);
	}
	if (words.length) wanted.q = words.join(' ');
	return wanted;
}

export function writeSearch(wanted) {
	const quote = value => (/[\s"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value);
	return [...[...KEYS].filter(key => wanted[key]).map(key => `${key}:${quote(wanted[key])}`), wanted.q].filter(Boolean).join(' ');
}

const hash = (q, cursor) => `#/executions${api.query({ q, cursor })}`;

/** Runs an action over several executions, a few at a time; tells how many worked. */
export async function forEach(ids, path) {
	const failures = [];
	const left = [...ids];
	await Promise.all(Array.from({ length: 6 }, async () => {
		for (let id = left.shift(); id; id = left.shift()) {
			try { await api.post(`${path}/${id}`); } catch (error) { failures.push(error.message); }
		}
	}));
	return failures;
}

export function executionsScreen(place, { params }) {
	let text = '';
	let cursor = '';
	let focused = null;
	let rows = [];
	let next = null;
	let asked = 0;
	let ended = false;
	let counts = null;
	const chosen = new Set();
	const lines = new Map();

	const counters = el('nav', { class: 'counts', 'aria-label': 'By status' });
	const box = el('input', { type: 'search', 'aria-label': 'Search', placeholder: 'status:failed workflow:… user:… model:… or a word', spellcheck: 'false', autocomplete: 'off' });
	const form = el('form', { class: 'row', role: 'search', onsubmit: event => { event.preventDefault(); location.hash = hash(box.value.trim()); } },
		el('div', { class: 'search' }, icon('search'), box));
	const liveMark = el('span', { class: 'soft nowrap', role: 'status' });
	const all = el('input', { type: 'checkbox', 'aria-label': 'Select all', onchange: () => { for (const row of rows) pick(row.executionId, all.checked); } });
	const body = el('tbody', {});
	const head = (name, cls, width) => {
		const cell = el('th', { class: cls, scope: 'col' }, name);
		if (width) cell.style.width = width;
		return cell;
	};
	const table = el('table', { class: 'list' }, el('caption', { class: 'hush' }, 'Executions, newest first'),
		el('thead', {}, el('tr', {}, canAct() && head(all, '', '46px'), head('Status', '', '120px'), head('Workflow', '', '27%'), head('Now'), head('User', '', '13%'), head('Created', '', '124px'),
			head('Duration', 'end', '100px'), head('Tokens', 'end', '90px'))), body);
	const list = el('div', { class: 'card' }, skeleton(8));
	const pager = el('div', { class: 'row' });
	const bulk = el('div', { class: 'bulk', hidden: true, role: 'region', 'aria-label': 'Selection' });
	put(place, flow(el('h1', { class: 'grow' }, 'Executions'), liveMark), counters, form, list, pager, bulk);

	function drawCounters(fresh) {
		counts = fresh || counts;
		const wanted = readSearch(text);
		const total = counts ? STATUSES.reduce((sum, name) => sum + (counts[name] ?? 0), 0) : null;
		const link = (name, label, n) => {
			const search = writeSearch({ ...wanted, status: name });
			const is = (wanted.status || '') === (name || '');
			return el('a', { href: hash(search), 'aria-current': is ? 'page' : null },
				el('b', {}, n == null ? '–' : `${counts?.exact === false && n > 1000 ? '≈' : ''}${compact(n)}`),
				el('span', { class: name ? `s-${name} state` : '' }, icon(name || 'all'), label));
		};
		const key = JSON.stringify([counts, text]);
		if (counters.dataset.key === key) return;
		counters.dataset.key = key;
		const had = counters.contains(document.activeElement) ? [...counters.children].indexOf(document.activeElement) : -1;
		put(counters, link('', 'All', total), STATUSES.map(name => link(name, name, counts?.[name])));
		if (had >= 0) counters.children[had]?.focus();
	}

	function pick(id, on) {
		if (on) chosen.add(id); else chosen.delete(id);
		const line = lines.get(id);
		if (line) {
			line.root.classList.toggle('chosen', on);
			if (line.box) line.box.checked = on;
		}
		drawBulk();
	}

	function drawBulk() {
		const ofRows = rows.filter(row => chosen.has(row.executionId));
		all.checked = rows.length > 0 && ofRows.length === rows.length;
		all.indeterminate = ofRows.length > 0 && !all.checked;
		bulk.hidden = ofRows.length === 0;
		drawLive();
		if (bulk.hidden) return;
		const retry = ofRows.filter(row => row.status === 'failed').map(row => row.executionId);
		const stop = ofRows.filter(row => !isOver(row.status)).map(row => row.executionId);
		const act = async (ids, path, title, yes, done, danger) => {
			if (!await ask(`${title} ${ids.length === 1 ? 'this execution' : `${ids.length} executions`}?`, { text: danger ? 'Calls in flight are aborted. What is finished stays recorded.' : 'Each goes on behind the steps that are finished.', yes, danger })) return;
			const failures = await forEach(ids, path);
			toast(failures.length ? `${ids.length - failures.length} ${done}, ${failures.length} not: ${failures[0]}` : `${ids.length} ${done}`, failures.length > 0);
			clear();
			if (!ended) load();
		};
		put(bulk, el('strong', { class: 'nowrap' }, `${ofRows.length} selected`),
			button(`Retry ${retry.length || ''}`, () => act(retry, 'retry', 'Retry', 'Retry', 'sent to be retried'), { disabled: !retry.length, picture: 'retrying' }),
			button(`Cancel ${stop.length || ''}`, () => act(stop, 'stop', 'Cancel', 'Cancel them', 'cancelled', true), { disabled: !stop.length, class: 'danger', picture: 'stop' }),
			button('Clear', clear, { class: 'quiet' }));
	}

	function clear() {
		for (const id of [...chosen]) pick(id, false);
		drawBulk();
	}

	function drawLive() {
		const is = pulse.paused ? 'updates paused' : chosen.size ? 'paused while you select' : cursor ? 'an older page' : 'live';
		say(liveMark, is === 'live' ? '● live' : is);
		liveMark.className = is === 'live' ? 'state s-completed' : 'soft nowrap';
	}

	function drawRow(row) {
		const key = JSON.stringify(row);
		let line = lines.get(row.executionId);
		if (line?.key === key) {
			say(line.created, ago(row.createdAt));
			if (!isOver(row.status) && row.startedAt) say(line.took, span(Date.now() - ms(row.startedAt)));
			return line.root;
		}
		const created = el('span', { title: when(row.createdAt) }, ago(row.createdAt));
		const took = el('span', {}, row.durationMs != null ? span(row.durationMs) : row.startedAt ? span((ms(row.finishedAt) ?? Date.now()) - ms(row.startedAt)) : '');
		const tick = canAct() ? el('input', { type: 'checkbox', checked: chosen.has(row.executionId), 'aria-label': `Select ${row.executionId}`, onchange: event => pick(row.executionId, event.target.checked) }) : null;
		const said = brief(row);
		const tokens = (row.tokensIn || 0) + (row.tokensOut || 0);
		const name = row.workflowName || (row.workflowId ? `workflow ${shortId(row.workflowId)}` : 'inline workflow');
		const cells = [
			tick && el('td', { class: 'pick' }, tick),
			el('td', {}, state(row.status)),
			el('td', { class: 'full' }, el('a', { class: 'name cut', href: `#/executions/${row.executionId}`, dir: 'auto', title: name }, name),
				el('span', { class: 'mono soft' }, shortId(row.executionId), row.run > 1 && ` · run ${row.run}`)),
			el('td', { class: said || row.status === 'running' ? 'full' : 'wide' },
				row.status === 'running' && el('progress', { class: 'progress s-running', max: 100, value: row.progress || 0, 'aria-label': 'Progress' }),
				el('div', { class: `cut ${row.error ? 'bad' : 'soft'}`, title: said, dir: 'auto' }, row.error && row.code ? `${row.code}: ${said}` : said)),
			el('td', { class: row.userId ? 'cut' : 'soft wide', title: row.userId }, row.userId ? el('a', { href: hash(writeSearch({ ...readSearch(text), user: row.userId })) }, row.userId) : '–'),
			el('td', { class: 'soft num' }, created),
			el('td', { class: 'end num' }, took),
			el('td', { class: `end num${tokens ? '' : ' soft wide'}` }, tokens ? el('span', { title: `${count(row.tokensIn)} in, ${count(row.tokensOut)} out` }, compact(tokens), el('span', { class: 'only-phone soft' }, ' tokens')) : '–'),
		];
		const root = line?.root || el('tr', { tabindex: -1 });
		const hadFocus = root.contains(document.activeElement) ? document.activeElement.tagName : null;
		put(root, cells);
		if (hadFocus === 'A') root.querySelector('a')?.focus();
		root.classList.toggle('chosen', chosen.has(row.executionId));
		line = { root, key, box: tick, created, took };
		lines.set(row.executionId, line);
		return root;
	}

	function draw() {
		const wanted = readSearch(text);
		for (const id of [...lines.keys()]) if (!rows.some(row => row.executionId === id)) lines.delete(id);
		if (rows.length === 0) {
			put(list, Object.keys(wanted).length
				? empty('search', 'Nothing fits this search', el('a', { href: hash('') }, 'Show all executions'))
				: empty('all', cursor ? 'That was all' : 'No executions yet', el('p', {}, 'A backend inserts one into workflow_executions, or sends it to POST /execute.'),
					canAct() && el('a', { class: 'button', href: '#/workflows' }, 'Run a workflow')));
		} else {
			const roots = rows.map(drawRow);
			if (roots.length !== body.childElementCount || roots.some((root, i) => body.children[i] !== root)) {
				const had = body.contains(document.activeElement) ? document.activeElement : null;
				body.replaceChildren(...roots);
				if (had?.isConnected) had.focus({ preventScroll: true });
			}
			if (table.parentNode !== list) put(list, table);
		}
		put(pager, cursor && el('a', { class: 'button', href: hash(text) }, 'Newest'), el('span', { class: 'grow' }),
			rows.length > 0 && quiet(`${count(rows.length)} shown`), next && el('a', { class: 'button', href: hash(text, next) }, 'Older'));
		drawBulk();
	}

	// After the rows. The server may have counted a moment before them: then it is asked again, while the rows go on.
	async function tally(mine, times) {
		const fresh = await api.optional('executions/counts').catch(() => null);
		if (mine !== asked) return;
		drawCounters(fresh);
		const isBehind = fresh && STATUSES.some(name => rows.filter(row => row.status === name).length > (fresh[name] ?? 0));
		if (isBehind && times > 1) setTimeout(() => mine === asked && tally(mine, times - 1), 300);
	}

	async function load() {
		const mine = ++asked;
		const wanted = readSearch(text);
		try {
			const page = await api.get(`executions${api.query({ ...wanted, cursor, limit: PAGE })}`);
			if (mine !== asked) return;
			rows = page.executions || [];
			next = page.next || null;
			draw();
			await tally(mine, 5);
		} catch (error) {
			if (mine !== asked) return;
			drawCounters(null);
			if (error.status === 0 && lines.size) return;
			const hint = error.isMissing ? 'This daemon has no list of executions.' : error.message;
			put(list, empty('failed', 'The list could not be read', el('p', { role: 'alert' }, hint), button('Try again', () => load())));
			lines.clear();
		}
	}

	function search(now) {
		text = now.get('q') || '';
		cursor = now.get('cursor') || '';
		box.value = text;
		focused = null;
		clear();
		drawCounters(null);
		load();
	}

	function step(by) {
		const at = rows.findIndex(row => row.executionId === focused);
		const row = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
		if (!row) return;
		focused = row.executionId;
		lines.get(focused)?.root.querySelector('a')?.focus();
	}

	[text, cursor] = [params.get('q') || '', params.get('cursor') || ''];
	box.value = text;
	drawCounters(null);
	const refresh = every(2000, async () => {
		drawLive();
		// The first page is live; an older one, a selection and a pause hold still.
		if (asked && (cursor || chosen.size || pulse.paused)) return;
		await load();
	});
	const unlisten = pulse.listen(drawLive);
	return {
		title: 'Executions',
		search,
		stop() { ended = true; refresh.stop(); unlisten(); asked++; },
		keys: {
			j: () => step(1),
			k: () => step(-1),
			x: () => { if (focused && canAct()) pick(focused, !chosen.has(focused)); },
			r: () => load(),
			Escape: () => clear(),
		},
	};
}
