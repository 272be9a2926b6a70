// A definition as text: pasted, or written by a model; checked with every mistake at its place, drawn, stored, run.

import * as api from './api.js';
import { button, el, fold, icon, put, flow, skeleton, soft, toast } from './dom.js';
import { fieldsOf, graphOf } from './definition.js';
import { follow } from './live.js';
import { graphView } from './graph.js';
import { growing } from './nodepane.js';
import { inputForm } from './form.js';
import { find, get as at, parse, plain, pretty } from './json.js';
import { failed } from './workflows.js';
import { canAct, pulse } from './shared.js';

const EXAMPLE = '{"name":"One sentence","nodes":[{"id":"start","type":"trigger","config":{"fields":[{"name":"topic","required":true}]}},{"id":"write","type":"llm","config":{"prompt":"One sentence about {{ inputs.topic }}."}}],"edges":[{"from":"start","to":"write"}]}';

export function newWorkflowScreen(place, { params }) {
	const from = params.get('from');
	let timer = 0;
	let ended = false;
	let unfollow = null;
	const gutter = el('pre', { 'aria-hidden': 'true' });
	const area = el('textarea', { spellcheck: 'false', 'aria-label': 'Definition', wrap: 'off' });
	const verdict = el('div', { 'aria-live': 'polite' });
	const picture = el('div', {});
	const runPlace = el('div', {});
	const name = el('input', { 'aria-label': 'Name', placeholder: 'Name' });
	const lineOf = offset => area.value.slice(0, offset).split('\n').length;

	function drawGutter(wrong = new Set()) {
		const lines = area.value.split('\n').length;
		put(gutter, Array.from({ length: lines }, (_, i) => [wrong.has(i + 1) ? el('mark', {}, i + 1) : i + 1, '\n']));
		gutter.scrollTop = area.scrollTop;
	}

	function go(start, end) {
		area.focus();
		area.setSelectionRange(start, end);
		area.scrollTop = Math.max(0, (lineOf(start) - 6) * 20);
	}

	async function check() {
		clearTimeout(timer);
		if (!area.value.trim()) { drawGutter(); put(verdict, soft('Paste a definition in any of the dialects; it is checked as you write.')); put(picture); put(runPlace); return false; }
		let doc;
		try {
			doc = parse(area.value);
		} catch (error) {
			drawGutter(new Set([lineOf(error.at)]));
			put(verdict, problems([{ path: `line ${lineOf(error.at)}`, message: error.message, severity: 'error', s: error.at, e: error.at + 1 }]));
			return false;
		}
		const graph = graphOf(plain(doc.root));
		put(picture, graphView(graph, { small: true, onchoose: id => {
			const found = at(doc.root, 'nodes')?.items.find(([, one]) => at(one, 'id')?.v === id);
			if (found) go(found[1].s, found[1].e);
		} }).root);
		let answer;
		try { answer = await api.post('workflows/validate', area.value); } catch (error) { answer = { valid: false, problems: error.problems?.length ? error.problems : [{ path: '', message: error.message }] }; }
		if (ended || doc.text !== area.value) return false;
		const found = (answer.problems || []).map(problem => { const node = find(doc.root, problem.path || ''); return { ...problem, s: node.s, e: node.e }; });
		drawGutter(new Set(found.filter(problem => problem.severity !== 'warning').map(problem => lineOf(problem.s))));
		put(verdict, el('p', { class: `state ${answer.valid ? 's-completed' : 's-failed'}` }, icon(answer.valid ? 'completed' : 'failed'),
			answer.valid ? `Valid${answer.dialect ? `, ${answer.dialect} dialect` : ''}` : 'It cannot run as it is'), found.length > 0 && problems(found));
		if (answer.valid && canAct()) drawRun(graph); else put(runPlace);
		return answer.valid;
	}

	function problems(list) {
		return el('ul', { class: 'problems' }, list.map(problem => el('li', {},
			el('span', { class: `state ${problem.severity === 'warning' ? 's-waiting' : 's-failed'}` }, icon(problem.severity === 'warning' ? 'waiting' : 'failed'), button(`${problem.path || 'definition'} (line ${lineOf(problem.s)})`, () => go(problem.s, problem.e), { class: 'link mono' })),
			el('p', {}, problem.message))));
	}

	function drawRun(graph) {
		const form = inputForm(fieldsOf(graph));
		const start = async event => {
			event.preventDefault();
			try {
				const made = await api.post('execute', `{"workflow":${area.value},"inputs":${form.read()}}`);
				if (!ended) location.hash = `#/executions/${made.executionId}`;
			} catch (error) { toast(error.message, true); }
		};
		put(runPlace, fold('Run it once, without storing it', el('form', { class: 'stack small', onsubmit: start }, form.root, el('button', { type: 'submit' }, icon('play'), 'Run'))));
	}

	async function save() {
		if (!await check()) { toast('Mend the mistakes first.', true); return; }
		const title = name.value.trim() || plain(parse(area.value).root).name;
		if (!title) { name.focus(); toast('Give it a name.', true); return; }
		try {
			const stored = await api.send(from ? 'PUT' : 'POST', from ? `workflows/${from}` : 'workflows', `{"name":${JSON.stringify(String(title))},"definition":${area.value}}`);
			toast('Stored');
			if (!ended) location.hash = `#/workflows/${stored.id || from}`;
		} catch (error) { toast(error.message, true); }
	}

	const prompt = el('textarea', { rows: 3, placeholder: 'Each morning sum up the news of three sites', 'aria-label': 'What the workflow is to do' });
	const watching = el('div', { class: 'stack small' });
	const generate = button('Generate', async () => {
		if (!prompt.value.trim()) { prompt.focus(); return; }
		generate.disabled = true;
		try {
			const made = await api.post('jobs', { prompt: prompt.value });
			if (ended) return;
			await watch(made.job_id || made.jobId || made.id);
		} catch (error) {
			put(watching, el('p', { class: 'state s-failed', role: 'alert' }, error.isMissing ? 'This daemon does not write workflows.' : error.message));
		}
		generate.disabled = false;
	}, { picture: 'graph', class: 'primary' });

	async function watch(job) {
		const bar = el('progress', { class: 'progress s-running', max: 100, value: 0, 'aria-label': 'Progress' });
		const phase = el('p', { class: 'soft', role: 'status' }, 'queued');
		const text = growing('', { live: true, label: 'What the model writes' });
		let held = '';
		const grow = () => { if (!pulse.paused && held) { text.append(held); held = ''; } };
		put(watching, bar, phase, text.root);
		unfollow = follow(`status/${job}/events?fields=status,progress`, events => {
			for (const { name: kind, data } of events) if (kind === 'text') held += data.text; else if (kind === 'restart') held += '\n\n'; else if (kind === 'node' && data.status === 'running') held += `\n── ${data.name}\n`;
			grow();
		});
		while (!ended) {
			const source = await api.getText(`jobs/${job}/status`);
			const now = plain(parse(source).root);
			grow();
			if (!pulse.paused) {
				bar.value = now.progress_percentage || 0;
				phase.textContent = `${now.status} · ${now.current_phase || ''} · ${now.progress_percentage || 0} %`;
			}
			if (['completed', 'failed', 'cancelled'].includes(now.status)) {
				unfollow();
				if (now.status !== 'completed') throw new api.ApiError(200, { error: now.error_message || now.status });
				const doc = parse(source);
				const written = at(doc.root, 'workflow_result');
				area.value = `${pretty(doc, at(written, 'workflow') || written)}\n`;
				phase.textContent = 'The model has written it; look it over.';
				check();
				return;
			}
			await new Promise(resolve => setTimeout(resolve, 1000));
		}
	}

	area.addEventListener('input', () => { drawGutter(); clearTimeout(timer); timer = setTimeout(check, 600); });
	area.addEventListener('scroll', () => { gutter.scrollTop = area.scrollTop; });
	const show = () => put(place, flow(el('a', { href: '#/workflows' }, 'Workflows')), el('h1', {}, from ? 'Edit workflow' : 'New workflow'),
		canAct() && el('section', { class: 'card pad stack small', 'aria-label': 'Generate' }, el('h2', {}, 'Let a model write it'), prompt, flow(generate), watching),
		el('div', { class: 'split even' }, el('section', { class: 'card', 'aria-label': 'Text' }, el('header', {}, el('h2', { class: 'grow' }, 'Definition'), !from && button('Example', () => { const doc = parse(EXAMPLE); area.value = `${pretty(doc, doc.root)}\n`; check(); }, { class: 'small quiet' }), button('Validate', check, { class: 'small' })),
			el('div', { class: 'pad stack' }, el('div', { class: 'editor' }, gutter, area), canAct() && flow(el('div', { class: 'grow' }, name), button(from ? 'Store the change' : 'Store', save, { class: 'primary' })))),
		el('section', { class: 'card', 'aria-label': 'Check' }, picture, el('div', { class: 'pad stack' }, verdict, runPlace))));
	if (from) {
		put(place, el('div', { class: 'card' }, skeleton(5)));
		api.getText(`workflows/${from}`).then(text => {
			if (ended) return;
			const doc = parse(text);
			area.value = `${pretty(doc, at(doc.root, 'definition'))}\n`;
			name.value = at(doc.root, 'name')?.v || '';
			show();
			check();
		}).catch(error => { if (!ended) failed(place, error); });
	} else { show(); check(); }
	return { title: from ? 'Edit workflow' : 'New workflow', stop() { ended = true; clearTimeout(timer); unfollow?.(); } };
}
