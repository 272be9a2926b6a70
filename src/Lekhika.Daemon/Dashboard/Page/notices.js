// What an execution has to tell above everything else: its error, the decisions it waits for, why it waits, whether the picture is live.

import { arrange, button, el, flow, icon, put, say, soft } from './dom.js';
import { errorView } from './nodepane.js';
import { ago, ms, when, whyWaiting } from './text.js';
import { topOf } from './definition.js';
import { canAct, pulse } from './shared.js';

/** {root, draw(linked)}; choose(node, key) shows a step, decide(path, body) answers an approval. */
export function notices(run, { choose, decide }) {
	// Each kind of notice has a place of its own: a hiccup of the stream does not touch a comment that somebody is writing.
	const wrong = el('div', { hidden: true });
	const decisions = el('div', { class: 'stack small', hidden: true });
	const cards = new Map();
	const linkNote = el('p', { class: 'soft', role: 'status', hidden: true });
	const why = el('span', {});
	const whyNote = el('p', { class: 'alert wait', hidden: true }, el('strong', {}, icon('waiting'), why));
	const root = el('div', { class: 'stack small' }, wrong, decisions, linkNote, whyNote);

	function draw(linked) {
		const head = run.head;
		const failed = [...run.steps.values()].find(step => step.status === 'failed');
		const look = JSON.stringify([head.error, head.errorDetails, head.code, failed?.key]);
		if (wrong.dataset.look !== look) {
			wrong.dataset.look = look;
			put(wrong, head.error && errorView({ code: head.errorDetails?.code || head.code, message: head.error, details: head.errorDetails && Object.keys(head.errorDetails).length > 2 ? head.errorDetails : null },
				{ more: failed && el('p', {}, button(`Show “${run.nameOf(failed.nodeId)}”`, () => choose(topOf(failed.key), failed.key), { class: 'link' })) }));
		}
		wrong.hidden = !head.error;
		const approvals = head.status === 'waiting' ? (head.waitingFor?.steps || []).filter(step => /approval|preview/.test(step.type || '') || step.awaits?.kind === 'approval') : [];
		// A card that is asked for again, after another branch has worked, comes back with what was written on it.
		const keyOfCard = wait => `${wait.step} ${ms(wait.due_at) ?? ''}`;
		if (run.isOver) cards.clear();
		for (const wait of approvals) if (!cards.has(keyOfCard(wait))) cards.set(keyOfCard(wait), approvalCard(wait));
		arrange(decisions, approvals.map(wait => cards.get(keyOfCard(wait))));
		decisions.hidden = !approvals.length;
		linkNote.hidden = run.isOver || linked && !pulse.paused;
		say(linkNote, linkNote.hidden ? '' : pulse.paused ? 'Live updates are paused.' : 'The live picture is interrupted; it comes back by itself.');
		const reason = approvals.length ? '' : whyWaiting(head, [...run.steps.values()], key => run.nameOf(key));
		whyNote.hidden = !reason;
		say(why, reason);
		root.hidden = [...root.children].every(child => child.hidden);
	}

	function approvalCard(wait) {
		const nodeId = wait.node_id || topOf(wait.step);
		const node = run.graph.nodes.find(one => one.id === nodeId);
		const message = wait.awaits?.message || node?.config?.message || node?.config?.approval_message || '';
		const comment = el('textarea', { rows: 2, 'aria-label': 'Comment', placeholder: 'A comment, if you like' });
		const answer = option => {
			const usual = { approve: ['approve', 'Approve', { class: 'primary', picture: 'completed' }], reject: ['reject', 'Reject', { class: 'danger', picture: 'failed' }] }[option];
			const [path, label, props] = usual || ['approve', option, {}];
			return button(label, () => decide(path, { stepKey: wait.step, comment: comment.value.trim() || undefined, answer: usual ? undefined : option }), props);
		};
		return el('section', { class: 'alert wait', 'aria-label': 'Approval' },
			el('strong', {}, icon('waiting'), el('span', {}, `“${run.nameOf(nodeId)}” waits for your decision`)), message && el('pre', { class: 'prose', dir: 'auto' }, String(message)),
			wait.due_at && soft(`Without one, its default is taken ${ago(wait.due_at)} (${when(wait.due_at)}).`),
			canAct() ? [comment, flow((wait.awaits?.options || ['approve', 'reject']).map(answer))]
				: soft('You may look, but not decide.'));
	}

	return { root, draw };
}
