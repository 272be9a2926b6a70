// Stored workflows: the list, one of them with its graph and a form to run it, and schedules.

import * as api from './api.js';
import { ask, button, el, empty, fold, icon, put, quiet, flow, skeleton, soft, toast } from './dom.js';
import { fieldsOf, graphOf } from './definition.js';
import { graphView } from './graph.js';
import { inputForm } from './form.js';
import { get as at, parse, plain, view } from './json.js';
import { ago, shortId, when } from './text.js';
import { canAct } from './shared.js';

export function failed(place, error) {
	if (!(error instanceof api.ApiError)) throw error;
	put(place, el('div', { class: 'card' }, empty('failed', error.isMissing ? 'This daemon does not offer that' : 'It could not be read', el('p', { role: 'alert' }, error.message))));
}

export function workflowsScreen(place, { params }) {
	const list = el('div', { class: 'card' }, skeleton(5));
	const schedules = el('div', {});
	const q = params.get('q') || '';
	const box = el('input', { type: 'search', 'aria-label': 'Search workflows', placeholder: 'a part of a name', value: q });
	put(place, flow(el('h1', { class: 'grow' }, 'Workflows'), el('a', { class: 'button', href: '#/workflows/new' }, icon('plus'), 'New')),
		el('form', { role: 'search', onsubmit: event => { event.preventDefault(); location.hash = `#/workflows${api.query({ q: box.value.trim() })}`; } }, el('div', { class: 'search' }, icon('search'), box)), list, schedules);
	const rows = el('tbody', {});
	const load = async cursor => {
		const page = await api.get(`workflows${api.query({ q, cursor, limit: 100 })}`);
		rows.append(...page.workflows.map(workflow => el('tr', {},
			el('td', { class: 'full' }, el('a', { class: 'name cut', href: `#/workflows/${workflow.id}`, dir: 'auto' }, workflow.name || shortId(workflow.id)), el('span', { class: 'mono soft' }, shortId(workflow.id))),
			el('td', {}, workflow.isActive ? el('span', { class: 'state s-completed' }, icon('completed'), 'active') : el('span', { class: 'state s-cancelled' }, icon('cancelled'), 'switched off')),
			el('td', { class: 'soft num' }, `version ${workflow.version}`), el('td', { class: 'soft num', title: when(workflow.updatedAt) }, ago(workflow.updatedAt || workflow.createdAt)),
			el('td', {}, el('a', { href: `#/executions${api.query({ q: `workflow:${workflow.id}` })}` }, 'Executions')))));
		put(list, rows.childElementCount ? el('table', { class: 'list plain' }, el('thead', {}, el('tr', {}, ['Name', 'State', 'Version', 'Changed', ''].map(name => el('th', { scope: 'col' }, name || el('span', { class: 'hush' }, 'Links'))))), rows)
			: empty('graph', q ? 'No workflow has that in its name' : 'No workflows yet', el('p', {}, 'Paste a definition, or let a model write one.'), el('a', { class: 'button', href: '#/workflows/new' }, 'New workflow')));
		if (page.next) list.append(el('p', { class: 'pad' }, button('More', () => load(page.next).catch(error => toast(error.message, true)))));
	};
	load().catch(error => failed(list, error));
	drawSchedules(schedules);
	return { title: 'Workflows' };
}

/** The schedules, of all workflows or of one; nothing where the daemon has none. */
async function drawSchedules(place, workflow) {
	const answer = await api.optional(`schedules${api.query({ workflow })}`).catch(() => null);
	if (!answer) return;
	const again = () => drawSchedules(place, workflow);
	const doing = async (work, done) => { try { await work(); toast(done); } catch (error) { toast(error.message, true); } again(); };
	const add = async () => {
		const cron = el('input', { required: true, placeholder: '0 9 * * MON-FRI' });
		const zone = el('input', { value: Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC' });
		const inputs = el('textarea', { rows: 2, class: 'mono', value: '{}' });
		const wanted = await ask('New schedule', { yes: 'Add', fields: [{ name: 'cron', label: 'When (cron)', input: cron, hint: 'minute hour day month weekday' },
			{ name: 'timezone', label: 'Time zone', input: zone }, { name: 'inputs', label: 'Inputs (JSON)', input: inputs }] });
		if (wanted) doing(() => api.post('schedules', `{"workflow_id":${JSON.stringify(workflow)},"cron":${JSON.stringify(wanted.cron)},"timezone":${JSON.stringify(wanted.timezone)},"inputs":${wanted.inputs || '{}'}}`), 'Schedule added');
	};
	const rows = answer.schedules || [];
	if (!rows.length && !workflow) return;
	put(place, el('section', { class: 'card', 'aria-label': 'Schedules' }, el('header', {}, el('h2', { class: 'grow' }, 'Schedules'), workflow && canAct() && button('Add', add, { class: 'small', picture: 'plus' })),
		rows.length ? el('div', { class: 'scroll' }, el('table', {}, el('tbody', {}, rows.map(row => el('tr', {},
			!workflow && el('td', { dir: 'auto' }, el('a', { href: `#/workflows/${row.workflow_id}` }, row.workflow_name || shortId(row.workflow_id))),
			el('td', {}, el('code', {}, row.cron), quiet(` ${row.timezone || ''}`), row.error && el('p', { class: 'state s-failed' }, row.error)),
			el('td', { class: 'soft num', title: when(row.next_run_at) }, row.state && row.state !== 'active' ? row.state : row.next_run_at ? ago(row.next_run_at) : ''),
			canAct() && el('td', { class: 'end' }, el('div', { class: 'row' },
				button(row.is_active === false ? 'Resume' : 'Pause', () => doing(() => api.post(`schedules/${row.id}/${row.is_active === false ? 'resume' : 'pause'}`), 'Done'), { class: 'small' }),
				button('Remove', async () => { if (await ask('Remove this schedule?', { text: 'Its executions stay.', yes: 'Remove', danger: true })) doing(() => api.send('DELETE', `schedules/${row.id}`), 'Schedule removed'); }, { class: 'small danger' }))))))))
			: el('p', { class: 'pad soft' }, 'It runs when somebody asks for it.')));
}

export function workflowScreen(place, { id }) {
	let ended = false;
	put(place, el('div', { class: 'card' }, skeleton(6)));
	(async () => {
		const doc = parse(await api.getText(`workflows/${id}`));
		// Somebody who has gone elsewhere is not fetched back by a late reply.
		if (ended) return;
		const definition = at(doc.root, 'definition');
		const workflow = plain(doc.root);
		const graph = graphOf(workflow.definition);
		const form = inputForm(fieldsOf(graph));
		const user = el('input', { autocomplete: 'off' });
		const problem = el('p', { class: 'state s-failed', role: 'alert' });
		const detail = el('div', { class: 'pad' }, soft('Choose a node to see its settings.'));
		const pictures = graphView(graph, { onchoose: node => {
			pictures.choose(node);
			const found = at(definition, 'nodes')?.items.find(([key, one]) => key === node || at(one, 'id')?.v === node || at(one, 'node_id')?.v === node);
			put(detail, found ? view(doc, found[1], { open: 4 }) : el('p', {}, node));
		} });
		const run = async event => {
			event.preventDefault();
			problem.textContent = '';
			try {
				const made = await api.post('execute', `{"workflowId":${JSON.stringify(id)},"inputs":${form.read()}${user.value ? `,"userId":${JSON.stringify(user.value)}` : ''}}`);
				if (!ended) location.hash = `#/executions/${made.executionId}`;
			} catch (error) {
				problem.textContent = [error.message, ...(error.problems || []).slice(1).map(one => `${one.path}: ${one.message}`)].join('\n');
			}
		};
		const schedules = el('div', {});
		put(place, flow(el('a', { href: '#/workflows' }, 'Workflows'), quiet('/'), el('code', {}, id)),
			flow(el('h1', { class: 'cut', dir: 'auto' }, workflow.name || shortId(id)), el('span', { class: 'soft nowrap' }, `version ${workflow.version}${workflow.isActive ? '' : ', switched off'}`), el('span', { class: 'grow' }),
				el('a', { class: 'button', href: `#/executions${api.query({ q: `workflow:${id}` })}` }, 'Its executions'), el('a', { class: 'button', href: `#/workflows/new${api.query({ from: id })}` }, 'Edit')),
			el('div', { class: 'split' }, el('div', { class: 'stack' }, el('section', { class: 'card', 'aria-label': 'Graph' }, el('header', {}, el('h2', {}, 'Graph')), pictures.root), el('section', { class: 'card', 'aria-label': 'Node' }, detail)),
				el('div', { class: 'stack' }, canAct() && el('section', { class: 'card', 'aria-label': 'Run' }, el('header', {}, el('h2', {}, 'Run it')),
					el('form', { class: 'pad stack', onsubmit: run }, form.root, el('label', { class: 'field' }, 'User', user, el('small', {}, 'Users take turns; may be left empty.')), problem, el('button', { type: 'submit', class: 'primary' }, icon('play'), 'Run'))),
				schedules, el('section', { class: 'card pad', 'aria-label': 'Definition' }, fold('Definition', view(doc, definition, { open: 2 }))))));
		document.title = `${workflow.name} · Lekhika`;
		drawSchedules(schedules, id);
	})().catch(error => { if (!ended) failed(place, error); });
	return { title: 'Workflow', stop() { ended = true; } };
}
