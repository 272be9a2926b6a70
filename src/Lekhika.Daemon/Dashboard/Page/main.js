// The shell: sign-in, header, which screen is shown, keys, theme. A screen is a function (place, params) that returns {title, stop, keys}.

import * as api from './api.js';
import { el, put, say, icon, iconButton, button, toast } from './dom.js';
import { every } from './live.js';
import { count } from './text.js';
import { session, pulse } from './shared.js';
import { executionsScreen } from './executions.js';
import { executionScreen } from './execution.js';
import { workflowsScreen, workflowScreen } from './workflows.js';
import { newWorkflowScreen } from './editor.js';
import { machinesScreen } from './machines.js';

const main = document.getElementById('main');
const header = document.getElementById('top');
const notice = document.getElementById('notice');
const ROUTES = [
	[/^executions$/, executionsScreen, 'executions'],
	[/^executions\/([^/]+)$/, executionScreen, 'executions'],
	[/^workflows$/, workflowsScreen, 'workflows'],
	[/^workflows\/new$/, newWorkflowScreen, 'workflows'],
	[/^workflows\/([^/]+)$/, workflowScreen, 'workflows'],
	[/^machines$/, machinesScreen, 'machines'],
];
let screen = null;
let shown = '';
let beat = null;

function parts() {
	const [path, search = ''] = location.hash.replace(/^#\/?/, '').split('?');
	let name = path;
	try { name = decodeURI(path); } catch { /* a stray % in an address that somebody typed: no screen has that name */ }
	return { path: name || 'executions', params: new URLSearchParams(search) };
}

function route() {
	if (!session.isIn) return;
	const { path, params } = parts();
	// A screen may take a change of its own search in its stride.
	if (screen?.search && shown === path) { screen.search(params); return; }
	screen?.stop?.();
	screen = null;
	const found = ROUTES.map(([pattern, make, area]) => [path.match(pattern), make, area]).find(([match]) => match);
	main.replaceChildren();
	for (const link of header.querySelectorAll('nav.main a')) {
		if (link.dataset.area === found?.[2]) link.setAttribute('aria-current', 'page');
		else link.removeAttribute('aria-current');
	}
	if (!found) {
		put(main, el('div', { class: 'card empty' }, icon('search'), el('h1', {}, 'There is no such page'), el('a', { href: '#/executions' }, 'To the executions')));
		return;
	}
	const isFirst = !shown;
	shown = path;
	screen = found[1](main, { id: found[0][1], params });
	document.title = `${screen.title} · Lekhika`;
	window.scrollTo(0, 0);
	if (!isFirst) main.focus({ preventScroll: true });
}

function theme(next) {
	const now = document.documentElement.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
	const wanted = next || (now === 'dark' ? 'light' : 'dark');
	document.documentElement.dataset.theme = wanted;
	try { localStorage.setItem('theme', wanted); } catch { /* kept for this page only */ }
}

// Keys of a single letter may be switched off: speech input would strike them by chance.
let shortcuts = true;
try { shortcuts = localStorage.getItem('shortcuts') !== 'off'; } catch { /* they are on */ }

function setShortcuts(are) {
	shortcuts = are;
	try { localStorage.setItem('shortcuts', are ? 'on' : 'off'); } catch { /* kept for this page only */ }
}

function help() {
	const keys = [['/', 'search'], ['j k', 'next and previous row'], ['Enter', 'open the row'], ['x', 'select the row'], ['p', 'pause and resume live updates'], ['r', 'refresh'], ['f', 'follow what runs'],
		['g e', 'executions'], ['g w', 'workflows'], ['g m', 'machines'], ['t', 'dark or light'], ['?', 'this list'], ['arrows', 'from node to node in a graph'],
		['Escape', 'back to the result; clear the selection']];
	const on = el('input', { type: 'checkbox', checked: shortcuts, onchange: event => setShortcuts(event.target.checked) });
	const dialog = el('dialog', { 'aria-labelledby': 'help-title' }, el('div', { class: 'stack' }, el('h2', { id: 'help-title' }, 'Keys'),
		el('div', { class: 'keys' }, keys.map(([key, what]) => [el('span', {}, key.split(' ').map(sign => [el('kbd', {}, sign), ' '])), el('span', {}, what)])),
		el('label', { class: 'check' }, on, 'Keys of a single letter or sign'),
		el('div', { class: 'buttons' }, button('Close', () => dialog.close(), { autofocus: true }))));
	dialog.addEventListener('close', () => dialog.remove());
	document.body.append(dialog);
	dialog.showModal();
}

function drawHeader() {
	const dot = el('span', { class: 'dot' });
	const health = el('span', { class: 'cut' }, 'connecting');
	const pause = iconButton('paused', 'Pause live updates', () => setPaused(!pulse.paused));
	const setPaused = paused => {
		pulse.paused = paused;
		document.documentElement.toggleAttribute('data-paused', paused);
		pause.replaceChildren(icon(paused ? 'play' : 'paused'));
		pause.title = paused ? 'Resume live updates' : 'Pause live updates';
		pause.setAttribute('aria-label', pause.title);
		pulse.tell();
	};
	pulse.toggle = () => setPaused(!pulse.paused);
	put(header, el('div', { class: 'bar' },
		el('a', { class: 'brand', href: '#/executions' }, el('img', { src: 'ui/icon.svg', alt: 'Lekhika' }), el('span', { class: 'wide' }, 'Lekhika')),
		el('nav', { class: 'main', 'aria-label': 'Main' },
			[['executions', 'all', 'Executions'], ['workflows', 'graph', 'Workflows'], ['machines', 'machine', 'Machines']].map(([area, picture, name]) =>
				el('a', { href: `#/${area}`, 'data-area': area }, icon(picture), name))),
		el('span', { class: 'grow' }),
		el('a', { class: 'health', href: '#/machines', title: 'This worker' }, dot, health),
		session.role === 'viewer' && el('span', { class: 'state pill s-pending' }, 'read only'),
		pause,
		el('span', { class: 'wide row tight' }, iconButton('help', 'Keys', help)),
		iconButton('moon', 'Dark or light', () => theme()),
		session.required && iconButton('out', 'Sign out', signOut)));
	pulse.listen(() => {
		const worker = pulse.worker;
		if (!worker || pulse.paused && dot.isTold) return;
		dot.isTold = true;
		dot.className = `dot ${{ healthy: 'good', overloaded: 'warn', degraded: 'bad', draining: 'warn' }[worker.status] || ''}`;
		const queued = worker.queued == null ? '' : ` · ${count(worker.queued)} queued`;
		say(health, `${worker.status} · ${worker.capacity} slots${queued}`);
	});
}

async function signOut() {
	try { await api.send('DELETE', 'session'); } catch (error) { toast(error.message, true); return; }
	leave('');
}

function leave(text) {
	session.isIn = false;
	beat?.stop();
	beat = null;
	screen?.stop?.();
	screen = null;
	shown = '';
	pulse.forget();
	document.documentElement.removeAttribute('data-paused');
	header.replaceChildren();
	for (const dialog of document.querySelectorAll('dialog')) dialog.close();
	signIn(text);
}

function signIn(text) {
	document.title = 'Sign in · Lekhika';
	const problem = el('p', { class: 'state s-failed', role: 'alert' }, text || '');
	const secret = el('input', { type: 'password', name: 'secret', autocomplete: 'current-password', required: true });
	const submit = el('button', { type: 'submit', class: 'primary' }, 'Sign in');
	const form = el('form', { class: 'stack', onsubmit: async event => {
		event.preventDefault();
		submit.disabled = true;
		try {
			await api.post('session', { secret: secret.value });
			await begin();
		} catch (error) {
			problem.textContent = error.message;
			secret.select();
		}
		submit.disabled = false;
	} },
	el('div', { class: 'brand' }, el('img', { src: 'ui/icon.svg', alt: '' }), 'Lekhika Daemon'), el('h1', {}, 'Sign in'),
	el('label', { class: 'field' }, 'Secret', secret, el('small', {}, 'The auth.internal_secret of this daemon’s configuration, or auth.viewer_secret to look only.')), problem, submit);
	put(main, el('div', { class: 'card pad signin' }, form));
	secret.focus();
}

async function begin() {
	let now;
	try {
		now = await api.get('session');
	} catch (error) {
		put(main, el('div', { class: 'card empty' }, icon('failed'), el('h1', {}, 'The dashboard could not begin'), el('p', {}, error.message), button('Try again', begin, { class: 'primary' })));
		return;
	}
	Object.assign(session, now);
	if (!now.signedIn) { signIn(''); return; }
	session.isIn = true;
	drawHeader();
	beat?.stop();
	beat = every(3000, () => pulse.take());
	route();
}

api.on('connection', (isThere, why) => say(notice, isThere ? '' : why || 'The daemon does not answer. What you see may be old; it is asked again and again.'));
api.on('signedOut', () => { if (session.isIn) leave('The session has ended. Sign in again.'); });
addEventListener('hashchange', route);

let chord = 0;
addEventListener('keydown', event => {
	if (event.ctrlKey || event.metaKey || event.altKey || !session.isIn) return;
	if (event.target.closest?.('input:not([type="checkbox"]), textarea, select, dialog')) {
		if (event.key === 'Escape') event.target.blur();
		return;
	}
	if (event.key.length === 1 && !shortcuts) return;
	if (Date.now() - chord < 1200) {
		chord = 0;
		const to = { e: 'executions', w: 'workflows', m: 'machines' }[event.key];
		if (to) { location.hash = `#/${to}`; return; }
	}
	if (screen?.keys?.[event.key]) { event.preventDefault(); screen.keys[event.key](event); return; }
	if (event.key === 'g') chord = Date.now();
	else if (event.key === 't') theme();
	else if (event.key === '?') help();
	else if (event.key === 'p') pulse.toggle();
	else if (event.key === '/') { const box = main.querySelector('input[type="search"]'); if (box) { event.preventDefault(); box.focus(); } }
});

try { const kept = localStorage.getItem('theme'); if (kept) theme(kept); } catch { /* the system's choice */ }
begin();
