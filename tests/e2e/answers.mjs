// SPDX-License-Identifier: MIT
//
// answers: what a person and a model say in these tests.

// Fill a form: the first choice of each field, a plausible value elsewhere.
export function fill(schema) {
  const content = {};
  for (const [name, field] of Object.entries(schema.properties)) {
    content[name] = field.enum?.[0] ?? field.oneOf?.[0].const
      ?? field.default ?? plain(field);
  }
  return content;
}

function plain(field) {
  switch (field.type) {
    case 'boolean': return true;
    case 'integer': case 'number': return field.minimum ?? 1;
    case 'array': return [field.items.enum?.[0] ?? field.items.anyOf[0].const];
    default: return 'x'.repeat(field.minLength ?? 1);
  }
}

export const accept = (params) =>
  ({ action: 'accept', content: fill(params.requestedSchema) });

// What the model says; the place is named by the test, to tell tenants apart.
export const say = (text) => ({ role: 'assistant', model: 'e2e',
  stopReason: 'endTurn', content: { type: 'text', text } });
