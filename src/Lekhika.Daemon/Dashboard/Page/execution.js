// One execution.

import * as api from './api.js';
import { arrange, ask, button, copy, el, empty, fold, icon, iconButton, put, quiet, flow, say, skeleton, soft, state, toast } from './dom.js';
import { get as at } from './json.js';
import { graphView, legend } from './graph.js';
import { drawTimeline } from './timeline.js';
import { every, follow } from './live.js';
import { nodePane, valueView } from './nodepane.js';
import { notices } from './notices.js';
import { Run } from './run.js';
import { ago, compact, count, ms, shortId, span, when } from './text.js';
import { topOf } from './definition.js';
import { canAct, pulse } from './shared.js';

const FIELDS = 'status,progress,steps,waitingFor,queuePosition,error,errorDetails,chapterInfo,currentNodeId,tokensIn,tokensOut,words,runNumber,workerId,runAt,startTime,endTime';

export function executionScreen(place, { id, params }) {
	const run = new Run(id);
	let chosen = params.get('node') || null;
	let chosenKey = null;
	let following = !chosen;
	let tab = 'graph';
	let view = null;
	let unfollow = null;
	let ended = false;
	let reloading = 0;
	let slow = 1000;
	let linked = true;
	let isBehind = false;

	const title = el('div', {});
	const alerts = notices(run, { choose, decide: (path, body) => doing(() => api.post(`${path}/${id}`, body)) });
	const facts = el('dl', { class: 'facts' });
	const factRows = new Map();
	const bar = el('progress', { class: 'progress', max: 100, 'aria-label': 'Progress of the whole' });
	const progressText = el('span', { class: 'num soft' });
	const tabs = el('div', { class: 'tabs', role: 'tablist', 'aria-label': 'View' });
	const stage = el('div', { role: 'tabpanel' });
	const followBox = el('input', { type: 'checkbox', checked: following, onchange: event => follows(event.target.checked) });
	const followLabel = el('label', { class: 'check' }, followBox, 'Follow');
	const side = el('section', { class: 'card side', 'aria-label': 'Details', tabindex: -1 });
	const pane = nodePane(run, { onchoose: choose, onretry: retry, onclose: () => unchoose() });
	const result = el('div', {});
	put(place, el('div', { class: 'card' }, skeleton(6)));

	function layout() {
		put(place, title, alerts.root, el('section', { class: 'card pad stack small', 'aria-label': 'Facts' }, flow(el('div', { class: 'grow' }, bar), progressText), facts),
			el('div', { class: 'split' },
				el('section', { class: 'card', 'aria-label': 'Course' }, el('header', {}, tabs, el('span', { class: 'grow' }), followLabel), stage),
				side),
			el('section', { class: 'card pad' }, el('div', { class: 'stack small' }, more('Inputs', 'inputs'), more('Definition', 'definition'))));
		for (const [name, label] of [['graph', 'Graph'], ['timeline', 'Timeline'], ['story', 'History']]) {
			tabs.append(el('button', { type: 'button', role: 'tab', 'data-tab': name, onclick: () => { tab = name; view = null; drawStage(); } }, label));
		}
		drawTitle();
		drawStage();
		drawSide();
	}

	function more(label, key) {
		const node = at(run.doc.root, key) || (key === 'inputs' ? at(run.doc.root, 'userInput') : at(run.doc.root, 'workflow'));
		if (!node || node.t === 'z') return null;
		const part = fold(label);
		part.addEventListener('toggle', () => { if (part.open && part.childElementCount === 1) part.append(valueView({ doc: run.doc, node }, { name: label.toLowerCase(), open: 3 })); });
		return part;
	}

	function drawTitle() {
		const head = run.head;
		const act = (label, picture, path, text, props) => button(label, async event => {
			if (text && !await ask(`${label} this execution?`, { text, yes: label, danger: props?.class === 'danger' })) return;
			event.target.disabled = true;
			await doing(() => api.post(`${path}/${id}`));
			event.target.disabled = false;
		}, { picture, ...props });
		const status = head.status;
		const name = head.workflowName || (head.workflowId ? `workflow ${shortId(head.workflowId)}` : 'Inline workflow');
		put(title, el('div', { class: 'stack small' },
			flow(el('a', { href: '#/executions' }, 'Executions'), quiet('/'),
				el('code', {}, id), iconButton('copy', 'Copy the id', () => copy(id, 'Id copied'), { class: 'icon quiet small' })),
			flow(el('h1', { class: 'cut', dir: 'auto', title: name }, name), state(status, true), head.runNumber > 1 && quiet(`run ${head.runNumber}`),
				el('span', { class: 'grow' }),
				canAct() && [
					['pending', 'running', 'waiting'].includes(status) && act('Pause', 'paused', 'pause'),
					['paused', 'pausing'].includes(status) && act('Resume', 'play', 'resume', null, { class: 'primary' }),
					status === 'failed' && button('Retry', () => retry(null), { picture: 'retrying', class: 'primary' }),
					!run.isOver && act('Stop', 'stop', 'stop', 'Calls in flight are aborted. What is finished stays recorded.', { class: 'danger' }),
					run.isOver && button('Run again', again, { picture: 'play' })])));
		document.title = `${name} · ${status} · Lekhika`;
	}

	async function doing(work) {
		try {
			const answer = await work();
			if (answer?.message) toast(answer.message);
			await refresh();
		} catch (error) {
			toast(error.isMissing ? 'This daemon does not offer that.' : error.message, true);
		}
	}

	async function retry(from) {
		const instruction = el('textarea', { rows: 2, placeholder: 'optional' });
		const answer = await ask(from ? `Retry from “${run.nameOf(from)}”?` : 'Retry this execution?', {
			text: from ? 'This node and what comes after it run again; everything else is kept.' : 'It goes on at what failed. Every finished step is kept.',
			fields: [{ name: 'instruction', label: 'Instruction for the model', input: instruction }], yes: 'Retry' });
		if (!answer) return;
		await doing(() => api.post(`retry/${id}`, { ...(from ? { from } : {}), ...(answer.instruction.trim() ? { instruction: answer.instruction.trim() } : {}) }));
	}

	async function again() {
		const node = (key, other) => { const found = at(run.doc.root, key); return found && found.t !== 'z' ? found : other && at(run.doc.root, other); };
		const raw = found => run.doc.text.slice(found.s, found.e);
		if (!await ask('Run it again?', { text: 'A new execution begins, with the same workflow and inputs.', yes: 'Run' })) return;
		// The text of inputs and definition goes as it is: numbers stay what they were.
		const parts = [run.head.workflowId ? `"workflowId":${JSON.stringify(run.head.workflowId)}` : `"workflow":${raw(node('definition', 'workflow'))}`];
		const inputs = node('inputs', 'userInput');
		if (inputs?.t === 'o') parts.push(`"inputs":${raw(inputs)}`);
		if (run.head.userId) parts.push(`"userId":${JSON.stringify(run.head.userId)}`);
		try {
			const made = await api.post('execute', `{${parts.join(',')}}`);
			if (!ended) location.hash = `#/executions/${made.executionId}`;
		} catch (error) {
			toast(error.message, true);
		}
	}

	function drawFacts() {
		const head = run.head;
		const started = ms(head.startedAt) || (head.status === 'pending' ? null : ms(head.startTime));
		const finished = ms(head.finishedAt) || ms(head.endTime);
		const chapter = head.chapterInfo?.totalChapters ? `${head.chapterInfo.currentChapter} of ${head.chapterInfo.totalChapters}` : null;
		const told = [['Created', ago(head.createdAt), when(head.createdAt)], ['Took', started ? span((finished || Date.now()) - started) : null, when(started)],
			['Chapter', chapter], ['Tokens', head.tokensIn || head.tokensOut ? `${compact(head.tokensIn)} in, ${compact(head.tokensOut)} out` : null],
			['Words', head.words ? count(head.words) : null], ['User', head.userId], ['Priority', head.priority || null], ['Worker', head.workerId],
			['Workflow', head.workflowId && el('a', { href: `#/workflows/${head.workflowId}` }, shortId(head.workflowId))], ['Parent', head.parentId && el('a', { href: `#/executions/${head.parentId}` }, shortId(head.parentId))]];
		const rows = told.filter(([, value]) => value);
		for (const [name, value, hint] of rows) {
			const text = value instanceof Node ? value.textContent : String(value);
			let row = factRows.get(name);
			if (!row) {
				const cell = el('dd', {});
				factRows.set(name, row = { cell, root: el('div', {}, el('dt', {}, name), cell), text: null });
			}
			if (row.text !== text) put(row.cell, value);
			row.text = text;
			row.cell.title = hint || '';
		}
		arrange(facts, rows.map(([name]) => factRows.get(name).root));
		bar.value = head.progress || 0;
		bar.setAttribute('class', `progress s-${head.status}`);
		say(progressText, `${Math.round(head.progress || 0)} %`);
	}

	function drawStage() {
		for (const one of tabs.children) one.setAttribute('aria-selected', String(one.dataset.tab === tab));
		followLabel.hidden = tab !== 'graph' || run.isOver;
		if (tab === 'graph') {
			if (!view) {
				view = graphView(run.graph, { onchoose: choose, onclear: () => chosen && unchoose() });
				put(stage, view.root, el('div', { class: 'pad' }, legend()));
				view.choose(chosen);
			}
			view.update(run.states());
		} else if (tab === 'timeline') {
			view = null;
			if (!stage.firstChild?.classList?.contains('gantt')) put(stage, el('div', { class: 'gantt' }));
			const attempts = run.attempts.length ? run.attempts : [...run.steps.values()];
			drawTimeline(stage.firstChild, attempts.map(step => (step.finishedAt || !run.isOver ? step : { ...step, finishedAt: run.head.finishedAt || run.head.endTime })),
				{ createdAt: run.head.createdAt, startedAt: run.head.startedAt || run.head.startTime, onchoose: key => choose(topOf(key), key) });
		} else {
			view = null;
			drawStory();
		}
	}

	async function drawStory() {
		if (!stage.firstChild?.classList?.contains('story')) put(stage, el('div', { class: 'story' }, skeleton(4)));
		const told = await api.optional(`executions/${id}/timeline?limit=1000`).catch(() => null);
		if (tab !== 'story' || ended) return;
		put(stage.firstChild, told?.entries?.length ? el('ol', { class: 'nodes limit', tabindex: 0, 'aria-label': 'History' }, told.entries.slice(0, 1000).map(entry => el('li', { class: 'row pad' },
			el('span', { class: 'soft num', title: when(entry.at) }, entry.at ? new Date(entry.at).toLocaleTimeString() : ''), el('span', { class: 'grow', dir: 'auto' }, entry.text),
			el('span', { class: 'soft num' }, entry.durationMs != null ? span(entry.durationMs) : '')))) : empty('all', 'There is no history'));
	}

	function drawSide() {
		if (chosen && run.graph.nodes.some(node => node.id === chosen)) {
			if (side.firstChild !== pane.root) { pane.forget(); put(side, pane.root); }
			pane.show(chosen, chosenKey);
			return;
		}
		const value = run.isOver ? at(run.doc.root, 'result') : null;
		if (side.firstChild !== result) put(side, result);
		const look = `${run.status}${value ? value.s : ''}`;
		if (result.dataset.look === look) return;
		result.dataset.look = look;
		put(result, el('header', {}, el('h2', { class: 'grow' }, run.isOver ? 'Result' : 'Details')),
			el('div', { class: 'pad stack' }, value && value.t !== 'z' ? valueView({ doc: run.doc, node: value }, { name: `result-${shortId(id)}` })
				: soft(run.isOver ? 'There is no result.' : 'What runs is shown here as soon as it begins. Choose a node to see what it did.')));
	}

	function drawSteps() {
		if (following && !run.isOver) {
			const key = run.steps.get(run.current)?.status === 'running' ? run.current : [...run.steps.values()].findLast(step => step.status === 'running')?.key;
			if (key && topOf(key) !== chosen) { chosen = topOf(key); chosenKey = null; view?.choose(chosen); view?.centre(chosen); }
		}
		if (tab !== 'story') drawStage();
		drawSide();
	}

	function follows(is) {
		following = is;
		followBox.checked = is;
		history.replaceState(null, '', `#/executions/${id}${api.query({ node: following ? null : chosen })}`);
		if (!title.isConnected) return;
		if (is) drawSteps(); else drawSide();
	}

	function pick(node, key) {
		[chosen, chosenKey] = [node, key];
		view?.choose(chosen);
		follows(false);
	}

	function choose(node, key = null) {
		pick(node, key);
		if (matchMedia('(max-width: 1000px)').matches) side.scrollIntoView({ behavior: 'smooth', block: 'nearest' });
	}

	/** Back from a node to the result of the whole. */
	function unchoose() {
		const hadFocus = side.contains(document.activeElement);
		pick(null, null);
		if (hadFocus) side.focus({ preventScroll: true });
	}

	function draw() {
		drawTitle();
		alerts.draw(linked);
		drawFacts();
		drawSteps();
	}

	function take(events) {
		if (ended || !run.head) return;
		const before = run.status;
		const changed = run.take(events);
		if (changed.head) { alerts.draw(linked); drawFacts(); }
		if (run.status !== before) drawTitle();
		if (changed.steps) drawSteps();
		for (const key of changed.restarted) if (topOf(key) === chosen) pane.grow(key, null, chosen, chosenKey);
		for (const [key, added] of changed.texts) if (topOf(key) === chosen && !changed.restarted.has(key)) pane.grow(key, added, chosen, chosenKey);
		if (changed.over) refresh().catch(missed); else if (changed.reload) later();
	}

	// Outputs and counters come with the records. However many steps end, they are asked for only so often.
	function later() {
		if (reloading) return;
		reloading = setTimeout(async () => {
			const begin = performance.now();
			try {
				await run.loadSteps();
			} catch (error) {
				missed(error);
			} finally {
				slow = Math.min(15000, Math.max(700, (performance.now() - begin) * 6));
				reloading = 0;
			}
			if (!ended && !pulse.paused) drawSteps();
		}, run.attempts.length ? slow : 60);
	}

	// The notice at the top tells that the connection is troubled; what could not be read is asked for again.
	function missed(error) {
		if (!(error instanceof api.ApiError)) throw error;
		isBehind = true;
	}

	async function refresh() {
		isBehind = false;
		if (run.head) {
			const runNumber = run.head.runNumber;
			await run.load();
			if (run.head.runNumber !== runNumber) run.reset();
		} else {
			await run.load();
		}
		await run.loadSteps().catch(missed);
		if (ended) return;
		if (!title.isConnected) layout();
		if (run.isOver && following) {
			// The error first: what failed is what one came to see.
			const first = run.status === 'failed' && [...run.steps.values()].find(step => step.status === 'failed');
			[chosen, chosenKey] = first ? [topOf(first.key), first.key] : [null, null];
			view?.choose(chosen);
		}
		draw();
		connect();
	}

	function connect() {
		if (run.isOver || ended || pulse.paused) { unfollow?.(); unfollow = null; return; }
		if (unfollow) return;
		unfollow = follow(`status/${id}/events?fields=${FIELDS}`, take, link => { linked = link; alerts.draw(linked); });
	}

	const ticking = setInterval(() => {
		if (!title.isConnected || document.hidden || pulse.paused) return;
		drawFacts();
		if (run.isOver) return;
		alerts.draw(linked);
		pane.tick();
		if (tab === 'timeline' || (view && tab === 'graph')) drawStage();
	}, 1000);
	// One that is over may be run again by somebody else.
	const looking = every(5000, async () => {
		if (!title.isConnected || pulse.paused) return;
		if (isBehind) await refresh().catch(missed);
		if (!run.isOver) return;
		const now = await api.get(`status/${id}?fields=status,runNumber`);
		if (now.status.status !== run.status || now.status.runNumber !== run.head.runNumber) { unfollow?.(); unfollow = null; await refresh(); }
	});

	// A pause holds no stream and draws nothing by itself; afterwards all is asked for anew.
	let isPaused = pulse.paused;
	const unlisten = pulse.listen(() => {
		if (isPaused === pulse.paused) return;
		isPaused = pulse.paused;
		if (!title.isConnected) return;
		connect();
		alerts.draw(linked);
		if (!isPaused) refresh().catch(missed);
	});

	refresh().catch(error => {
		if (!(error instanceof api.ApiError)) throw error;
		if (ended) return;
		put(place, el('div', { class: 'card' }, empty('search', error.status === 404 ? 'There is no such execution' : 'It could not be read', el('p', { role: 'alert' }, error.message), el('a', { href: '#/executions' }, 'To the executions'))));
	});

	return {
		title: 'Execution',
		search(now) { const node = now.get('node'); if (node && node !== chosen) choose(node); else if (!node && chosen) unchoose(); },
		stop() {
			ended = true;
			unfollow?.();
			clearInterval(ticking);
			clearTimeout(reloading);
			looking.stop();
			unlisten();
		},
		keys: { r: () => refresh().catch(missed), f: () => follows(!following), Escape: () => chosen && unchoose() },
	};
}
