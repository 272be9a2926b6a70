// Reads the graph out of a definition in any dialect, only to draw it.

const TRIGGERS = new Set(['trigger', 'input', 'manual_trigger', 'chat_trigger', 'webhook', 'schedule', 'interval', 'form', 'start', 'inputNode']);

const text = value => (typeof value === 'string' || typeof value === 'number' ? String(value) : null);

function readNode(node, key) {
	const data = node.data && typeof node.data === 'object' ? node.data : {};
	const own = text(node.type) === 'custom' ? text(data.type) : null;
	const type = own || text(node.node_type) || text(data.role) || text(node.type) || 'node';
	const id = text(node.id) || text(node.node_id) || key || '';
	return { id, type, name: text(node.name) || text(data.label) || text(data.name) || text(node.label) || id, config: node.config || data.config || data, raw: node };
}

/** {nodes: [{id, name, type, config}], edges: [{from, to, when}]} */
export function graphOf(definition) {
	let root = definition && typeof definition === 'object' ? definition : {};
	for (const wrapper of ['workflow', 'graph_config', 'definition', 'graph']) {
		if (!root.nodes && root[wrapper] && typeof root[wrapper] === 'object') root = root[wrapper];
	}
	const listed = root.nodes || [];
	const nodes = (Array.isArray(listed) ? listed.map(node => [null, node]) : Object.entries(listed))
		.filter(([, node]) => node && typeof node === 'object').map(([key, node]) => readNode(node, key)).filter(node => node.id);
	const known = new Set(nodes.map(node => node.id));
	const edges = [];
	const join = (from, to, label) => {
		if (known.has(from) && known.has(to) && from !== to) edges.push({ from, to, when: text(label) });
	};
	for (const edge of Array.isArray(root.edges) ? root.edges : Array.isArray(root.connections) ? root.connections : []) {
		if (edge && typeof edge === 'object') join(text(edge.from) || text(edge.source), text(edge.to) || text(edge.target), edge.when ?? edge.sourceHandle ?? edge.label);
	}
	for (const node of nodes) {
		const next = node.raw.next;
		for (const to of Array.isArray(next) ? next : next ? [next] : []) join(node.id, text(to?.node_id ?? to?.id ?? to), to?.when);
	}
	return { nodes, edges };
}

/** The fields that a run is asked for. */
export function fieldsOf(graph) {
	const trigger = graph.nodes.find(node => TRIGGERS.has(node.type)) || graph.nodes.find(node => Array.isArray(node.config?.fields));
	const fields = trigger?.config?.fields || trigger?.config?.inputs || [];
	return (Array.isArray(fields) ? fields : []).filter(field => field && text(field.name));
}

// Names of steps: in the id of a node \ . [ and ] are escaped with \, so that only those of the path stand bare.

/** The key of the step of a node at the top. */
export const keyOf = id => String(id).replace(/[\\.[\]]/g, '\\$&');

/** The id of the node at the top that a step belongs to: chapters[3].draft is part of chapters, a\.b of a.b. */
export const topOf = key => /^(?:\\.|[^\\.[\]])*/s.exec(String(key))[0].replace(/\\(.)/gs, '$1');
