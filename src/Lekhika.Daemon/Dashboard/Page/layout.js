// A layered drawing of a graph: ranks by longest path, then fewer crossings by barycentres, then places by the mean of the neighbours. Cycles are broken at
// the edges that close them.

const SWEEPS = 10;
const MOST_BENDS = 4000;

function ranksOf(nodes, edges) {
	const out = new Map(nodes.map(node => [node.id, []]));
	for (const edge of edges) out.get(edge.from).push(edge);
	const mark = new Map();
	const order = [];
	const back = new Set();
	for (const root of nodes) {
		if (mark.has(root.id)) continue;
		const stack = [[root.id, 0]];
		mark.set(root.id, 1);
		while (stack.length) {
			const top = stack[stack.length - 1];
			const edge = out.get(top[0])[top[1]++];
			if (!edge) { mark.set(top[0], 2); order.push(top[0]); stack.pop(); continue; }
			const seen = mark.get(edge.to);
			if (seen === 1) back.add(edge);
			else if (!seen) { mark.set(edge.to, 1); stack.push([edge.to, 0]); }
		}
	}
	const rank = new Map(nodes.map(node => [node.id, 0]));
	for (const id of order.reverse()) {
		for (const edge of out.get(id)) if (!back.has(edge)) rank.set(edge.to, Math.max(rank.get(edge.to), rank.get(id) + 1));
	}
	return { rank, back };
}

/** Returns {width, height, places: Map id → {x, y}, paths: [{edge, points, isBack}]}; x and y are centres. */
export function layout(nodes, edges, { across, along, vertical }) {
	const { rank, back } = ranksOf(nodes, edges);
	const layers = [];
	const cells = new Map();
	const cell = (id, r, isBend) => {
		const made = { id, rank: r, up: [], down: [], at: 0, size: isBend ? 0.35 : 1 };
		(layers[r] ||= []).push(made);
		return made;
	};
	for (const node of nodes) cells.set(node.id, cell(node.id, rank.get(node.id), false));
	let bends = 0;
	const chains = edges.map(edge => {
		const isBack = back.has(edge);
		const [from, to] = isBack ? [edge.to, edge.from] : [edge.from, edge.to];
		const chain = [cells.get(from)];
		const last = cells.get(to);
		for (let r = chain[0].rank + 1; r < last.rank && bends < MOST_BENDS; r++, bends++) chain.push(cell(null, r, true));
		chain.push(last);
		for (let i = 1; i < chain.length; i++) { chain[i - 1].down.push(chain[i]); chain[i].up.push(chain[i - 1]); }
		return { edge, isBack, chain };
	});

	const index = layer => layer.forEach((c, i) => { c.order = i; });
	layers.forEach(index);
	for (let sweep = 0; sweep < SWEEPS; sweep++) {
		const down = sweep % 2 === 0;
		for (const layer of down ? layers : layers.toReversed()) {
			for (const c of layer) {
				const near = down ? c.up : c.down;
				c.weight = near.length ? near.reduce((sum, n) => sum + n.order, 0) / near.length : c.order;
			}
			layer.sort((a, b) => a.weight - b.weight || a.order - b.order);
			index(layer);
		}
	}

	for (const layer of layers) {
		let at = 0;
		for (const c of layer) { c.at = at + c.size / 2; at += c.size; }
		for (const c of layer) c.at -= at / 2;
	}
	for (let sweep = 0; sweep < SWEEPS; sweep++) {
		const down = sweep % 2 === 0;
		for (const layer of down ? layers : layers.toReversed()) {
			const want = layer.map(c => {
				const near = down ? c.up : c.down;
				return near.length ? near.reduce((sum, n) => sum + n.at, 0) / near.length : c.at;
			});
			const low = [];
			const high = [];
			layer.forEach((c, i) => { low[i] = i ? Math.max(want[i], low[i - 1] + (layer[i - 1].size + c.size) / 2) : want[i]; });
			for (let i = layer.length - 1; i >= 0; i--) {
				high[i] = i < layer.length - 1 ? Math.min(want[i], high[i + 1] - (layer[i + 1].size + layer[i].size) / 2) : want[i];
			}
			layer.forEach((c, i) => { c.at = (low[i] + high[i]) / 2; });
		}
	}

	let least = Infinity;
	let most = -Infinity;
	for (const layer of layers) for (const c of layer) { least = Math.min(least, c.at - c.size / 2); most = Math.max(most, c.at + c.size / 2); }
	if (!layers.length) [least, most] = [0, 1];
	const point = c => {
		const a = (c.at - least) * across;
		const b = (c.rank + 0.5) * along;
		return vertical ? { x: a, y: b } : { x: b, y: a };
	};
	const deep = Math.max(1, layers.length) * along;
	const broad = (most - least) * across;
	return {
		width: vertical ? broad : deep,
		height: vertical ? deep : broad,
		places: new Map([...cells].map(([id, c]) => [id, point(c)])),
		paths: chains.map(({ edge, isBack, chain }) => ({ edge, isBack, points: (isBack ? chain.toReversed() : chain).map(point) })),
	};
}
