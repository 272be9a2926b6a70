// A form made from the fields of a trigger; numbers are sent with the very digits that were typed.

import { el } from './dom.js';
import { parse } from './json.js';

/** {root, read()}: read gives the inputs as JSON text, or throws an Error that names the field. */
export function inputForm(fields) {
	if (!fields.length) {
		const area = el('textarea', { rows: 4, class: 'mono', value: '{}', spellcheck: 'false' });
		return { root: el('label', { class: 'field' }, 'Inputs', area, el('small', {}, 'A JSON object; the workflow names no fields.')), read: () => checked(area.value || '{}', 'Inputs', 'o') };
	}
	const controls = fields.map(field => {
		const type = String(field.type || 'string');
		const text = field.default == null ? '' : typeof field.default === 'string' ? field.default : JSON.stringify(field.default);
		const options = Array.isArray(field.options) ? field.options : null;
		const isJson = /object|array|json|list|any/.test(type);
		const input = options ? el('select', {}, !field.required && el('option', { value: '' }, ''), options.map((option, i) => el('option', { value: i, selected: option === field.default }, String(option?.label ?? option?.value ?? option))))
			: type.startsWith('bool') ? el('input', { type: 'checkbox', checked: field.default === true })
				: isJson || /text|long/.test(type) ? el('textarea', { rows: 3, value: text, class: isJson ? 'mono' : null })
					: el('input', { type: 'text', value: text, inputmode: /number|int/.test(type) ? 'decimal' : null });
		if (field.required && input.type !== 'checkbox') input.required = true;
		const label = `${field.label || field.name}${field.required ? ' *' : ''}`;
		const root = el('label', { class: input.type === 'checkbox' ? 'check' : 'field' }, input.type === 'checkbox' ? [input, label] : [label, input], field.description && el('small', {}, field.description));
		const read = () => {
			if (options) return input.value === '' ? null : JSON.stringify(options[input.value]?.value ?? options[input.value]);
			if (input.type === 'checkbox') return String(input.checked);
			if (input.value.trim() === '') { if (field.required) throw new Error(`${field.name} is required`); return null; }
			if (/number|int/.test(type)) return checked(input.value.trim(), field.name, 'n');
			return isJson ? checked(input.value, field.name) : JSON.stringify(input.value);
		};
		return { root, name: field.name, read };
	});
	return {
		root: el('div', { class: 'stack small' }, controls.map(control => control.root)),
		read: () => `{${controls.map(control => [control.name, control.read()]).filter(([, value]) => value !== null).map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`,
	};
}

function checked(text, name, kind) {
	let doc;
	try { doc = parse(text); } catch (error) { throw new Error(`${name}: ${error.message}`); }
	if (kind && doc.root.t !== kind) throw new Error(`${name}: expected ${kind === 'n' ? 'a number' : 'a JSON object'}`);
	return doc.text.slice(doc.root.s, doc.root.e);
}
