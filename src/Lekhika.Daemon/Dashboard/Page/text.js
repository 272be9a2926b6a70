// How things are told: times, amounts, and why something waits.

const number = new Intl.NumberFormat();
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export const count = value => number.format(value ?? 0);
export const shortId = id => (id || '').slice(0, 8);

export function compact(value) {
	const n = value ?? 0;
	if (n < 10000) return number.format(n);
	return n < 1e6 ? `${(n / 1000).toFixed(n < 1e5 ? 1 : 0)}k` : `${(n / 1e6).toFixed(1)}M`;
}

/** Milliseconds for people: 340 ms, 4.2 s, 3 min 5 s, 2 h 10 min, 3 d 4 h. */
export function span(ms) {
	if (ms == null || Number.isNaN(ms)) return '';
	if (ms < 0) ms = 0;
	if (ms < 1000) return `${Math.round(ms)} ms`;
	const s = ms / 1000;
	if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
	const whole = Math.round(s);
	if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ''}`;
	if (whole < 86400) return `${Math.floor(whole / 3600)} h${Math.floor(whole % 3600 / 60) ? ` ${Math.floor(whole % 3600 / 60)} min` : ''}`;
	return `${Math.floor(whole / 86400)} d${Math.floor(whole % 86400 / 3600) ? ` ${Math.floor(whole % 86400 / 3600)} h` : ''}`;
}

export const bytes = n => {
	if (!n) return '0 B';
	const unit = Math.min(4, Math.floor(Math.log2(n) / 10));
	return `${(n / 1024 ** unit).toFixed(unit && n / 1024 ** unit < 10 ? 1 : 0)} ${['B', 'KB', 'MB', 'GB', 'TB'][unit]}`;
};

export const ms = value => (typeof value === 'number' ? value : value ? Date.parse(value) : null);
export const when = value => (value ? day.format(ms(value)) : '');

export function ago(value) {
	if (!value) return '';
	const past = Date.now() - ms(value);
	if (past < 0) return `in ${span(-past)}`;
	if (past < 5000) return 'just now';
	return past < 86400000 * 2 ? `${span(past).split(' ').slice(0, 2).join(' ')} ago` : when(value);
}

const at = value => (Math.abs(ms(value) - Date.now()) < 43200000 ? clock.format(ms(value)) : when(value));
const until = value => `until ${at(value)} (${ago(value)})`;

/** What a signal, an approval or a timer is waited for, as one sentence; empty if nothing is. */
export function whyWaiting(execution, steps, nameOf) {
	const { status } = execution;
	const waiting = execution.waitingFor || execution.waiting_for;
	if (status === 'pending') {
		if (execution.runAt && ms(execution.runAt) > Date.now()) return `It begins at ${at(execution.runAt)} (${ago(execution.runAt)}).`;
		if (execution.queuePosition > 0) return `It waits for a free slot; ${count(execution.queuePosition)} in front of it.`;
		return execution.queuePosition === 0 ? 'It is the next in the queue.' : 'It waits for a worker to take it.';
	}
	if (status === 'pausing') return 'It will be paused once the calls in flight have ended.';
	if (status === 'paused') return 'It was paused, and goes on when somebody resumes it.';
	if (status === 'running') {
		const queued = steps.find(step => step.status === 'running' && step.queuePosition != null);
		if (queued && !steps.some(step => step.status === 'running' && step.text)) {
			return `“${queued.name || queued.nodeId}” waits for its model's turn; ${queued.queuePosition === 0 ? 'it is next' : `${count(queued.queuePosition)} in front of it`}.`;
		}
		const again = steps.find(step => step.status === 'retrying');
		return again && !steps.some(step => step.status === 'running')
			? `“${again.name || again.nodeId}” failed and is tried again${again.dueAt ? ` ${ago(again.dueAt)}` : ''}.` : '';
	}
	if (status !== 'waiting') return '';
	const said = (waiting?.steps || []).map(wait => {
		const name = `“${nameOf(wait.node_id || wait.step)}”`;
		const limit = wait.due_at ? ` ${until(wait.due_at)}` : '';
		if (/approval|preview/.test(wait.type || '')) return `${name} waits for somebody to approve it${limit}`;
		if (/subworkflow/.test(wait.type || '')) return `${name} waits for another execution to end${limit}`;
		if (/signal/.test(JSON.stringify(wait.awaits ?? wait.type ?? ''))) return `${name} waits for a signal${limit}`;
		return wait.due_at ? `${name} waits ${until(wait.due_at)}` : `${name} waits for an event`;
	});
	if (said.length) return `${said.slice(0, 3).join('; ')}${said.length > 3 ? `; and ${said.length - 3} more` : ''}.`;
	if (waiting?.reason === 'retry') return waiting.due_at ? `A step failed and is tried again ${ago(waiting.due_at)}.` : 'A step failed and is tried again.';
	return waiting?.due_at ? `It waits ${until(waiting.due_at)}.` : 'It waits for an event.';
}

/** A short form of what a list shows as the reason. */
export function brief(execution) {
	if (execution.error) return execution.error;
	const waiting = execution.waitingFor;
	if (!waiting) return execution.status === 'pending' || execution.status === 'completed' ? '' : execution.currentNodeId || '';
	if (typeof waiting === 'string') return waiting;
	const first = waiting.steps?.[0];
	const what = first ? `${first.type || 'wait'}: ${first.node_id || first.step}` : waiting.reason || 'waiting';
	return waiting.due_at ? `${what}, ${ago(waiting.due_at)}` : what;
}

export const isOver = status => status === 'completed' || status === 'failed' || status === 'cancelled';
