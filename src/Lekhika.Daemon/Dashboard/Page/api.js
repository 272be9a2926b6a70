// The one way to the daemon. Addresses are relative, so the page also works below a prefix of a proxy.

export class ApiError extends Error {
	constructor(status, body, retryAfter) {
		super(body?.error || (status === 0 ? 'The daemon does not answer.' : `The daemon answered ${status}.`));
		this.status = status;
		this.code = body?.code || '';
		this.problems = body?.problems || [];
		this.retryAfter = retryAfter;
	}

	/** The daemon is older than this page, or the route is switched off. */
	get isMissing() { return this.status === 404 && this.code === 'route_not_found' || this.status === 405; }
}

const heard = { connection: () => {}, signedOut: () => {} };

/** Tells when the connection is lost or back, and when the session has ended. */
export const on = (name, handler) => { heard[name] = handler; };

const address = path => new URL(path.replace(/^\//, ''), document.baseURI);

// A proxy in front of the daemon answered with a page of its own: as good as no answer.
function strange() {
	heard.connection(false, 'Something in front of the daemon answers, perhaps its sign-in. Load the page anew.');
	throw new ApiError(0, { error: 'The answer did not come from the daemon.' });
}

function read(text) {
	try { return JSON.parse(text); } catch { return strange(); }
}

async function fetchText(method, path, body, signal) {
	let response;
	let text;
	try {
		response = await fetch(address(path), {
			method,
			body,
			signal,
			cache: 'no-store',
			credentials: 'same-origin',
			headers: { 'X-Lekhika-Request': '1', Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
		});
		text = await response.text();
	} catch (error) {
		if (error.name === 'AbortError') throw error;
		heard.connection(false);
		throw new ApiError(0);
	}
	if (response.ok && text && !/\bjson\b/.test(response.headers.get('Content-Type') || '')) strange();
	heard.connection(true);
	if (response.ok) return { text, response };
	let parsed = null;
	try { parsed = JSON.parse(text); } catch { /* a proxy's own page */ }
	if (response.status === 401 && !path.startsWith('session')) heard.signedOut();
	throw new ApiError(response.status, parsed, Number(response.headers.get('Retry-After')) || 0);
}

/** The reply's text, for those who need its exact numbers. */
export const getText = async (path, signal) => (await fetchText('GET', path, undefined, signal)).text;
export const get = async (path, signal) => read(await getText(path, signal));

/** Sends a value, or JSON text as it is. */
export async function send(method, path, body) {
	const { text } = await fetchText(method, path, body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
	return text ? read(text) : {};
}
export const post = (path, body) => send('POST', path, body);

const absent = new Set();

/** The value of a route that this daemon may not have: null if it does not. */
export async function optional(path, signal) {
	const route = path.split('?')[0].replace(/[0-9a-f-]{36}/, '{id}');
	if (absent.has(route)) return null;
	try {
		return await get(path, signal);
	} catch (error) {
		if (!error.isMissing) throw error;
		absent.add(route);
		return null;
	}
}

export const query = values => {
	const search = new URLSearchParams(Object.entries(values).filter(([, value]) => value != null && value !== ''));
	return search.size ? `?${search}` : '';
};
