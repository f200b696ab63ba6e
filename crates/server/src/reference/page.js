// Shows the document of all operations. It is built of elements and texts alone: what the document
// says is never read as HTML.

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
/** Deeper schemas are named and not opened. */
const DEPTH_MAX = 6;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

/** A text in which what stands between backticks is code. */
function worded(text) {
  return text.split('`').map((part, place) => (place % 2 === 1 ? element('code', {}, part) : part));
}

function prose(text) {
  return element('p', { class: 'prose' }, ...worded(text));
}

function furtherProse(text) {
  const [, ...further] = text.split('\n');
  const rest = further.join('\n').trim();
  return rest ? prose(rest) : undefined;
}

/** What can be opened. Its inside is made when somebody looks: all of it at once would be 140,000 elements. */
function opening(summary, inside, attributes = {}) {
  const details = element('details', attributes, summary);
  const fill = () => {
    details.removeEventListener('toggle', fill);
    details.append(element('div', {}, ...inside().filter(Boolean)));
  };
  details.addEventListener('toggle', fill);
  return details;
}

function json(value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return element('pre', { tabindex: '0' }, element('code', {}, text));
}

/** What a schema refers to, and its name. */
function resolved(schema, schemas) {
  const name = schema.$ref?.split('/').pop();
  return name ? { name, schema: schemas[name] ?? {} } : { name: undefined, schema };
}

function kindOf(given, schemas) {
  const { name, schema } = resolved(given, schemas);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const choices = given.anyOf ?? given.oneOf;
  if (choices) return choices.map((choice) => kindOf(choice, schemas)).join(' | ');
  if (schema.type === 'array') return `list of ${kindOf(schema.items ?? {}, schemas)}`;
  if (name) return name;
  const kind = Array.isArray(schema.type) ? schema.type.join(' | ') : (schema.type ?? 'any');
  return schema.format ? `${kind} (${schema.format})` : kind;
}

function hasMembers(given, schemas) {
  const { schema } = resolved(given, schemas);
  if (schema.type === 'array') return hasMembers(schema.items ?? {}, schemas);
  if (Object.keys(schema.properties ?? {}).length > 0) return true;
  return (schema.anyOf ?? schema.oneOf ?? []).some((choice) => hasMembers(choice, schemas));
}

/** The members of a schema, each with what it is. */
function members(given, schemas, depth = 0) {
  const { schema } = resolved(given, schemas);
  if (schema.type === 'array') return members(schema.items ?? {}, schemas, depth);
  const choices = schema.anyOf ?? schema.oneOf ?? [];
  const open = choices.filter((choice) => choice.type !== 'null');
  const rows = Object.entries(schema.properties ?? {}).map(([name, shape]) => {
    const inner = depth < DEPTH_MAX && hasMembers(shape, schemas) ? opening(element('summary', {}, 'Members'), () => [members(shape, schemas, depth + 1)]) : undefined;
    const required = schema.required?.includes(name) ? 'yes' : '';
    const about = shape.description ?? resolved(shape, schemas).schema.description ?? '';
    return element(
      'tr',
      {},
      element('td', {}, element('code', {}, name)),
      element('td', {}, kindOf(shape, schemas)),
      element('td', { class: 'required' }, required),
      element('td', {}, ...worded(about), inner),
    );
  });
  const tables = open.map((choice) => members(choice, schemas, depth + 1)).filter(Boolean);
  if (rows.length > 0) tables.unshift(table(['Name', 'Type', 'Required', 'What it is'], rows));
  return tables.length > 0 ? element('div', {}, ...tables) : undefined;
}

function table(heads, rows) {
  const head = element('tr', {}, ...heads.map((text) => element('th', { scope: 'col' }, text)));
  return element('table', {}, element('thead', {}, head), element('tbody', {}, ...rows));
}

function parameters(all, schemas) {
  if (!all?.length) return undefined;
  const rows = all.map((parameter) =>
    element(
      'tr',
      {},
      element('td', {}, element('code', {}, parameter.name)),
      element('td', {}, parameter.in),
      element('td', {}, kindOf(parameter.schema, schemas)),
      element('td', { class: 'required' }, parameter.required ? 'yes' : ''),
      element('td', {}, ...worded(parameter.description ?? '')),
    ),
  );
  return element('section', {}, element('h3', {}, 'Parameters'), table(['Name', 'In', 'Type', 'Required', 'What it is'], rows));
}

function content(all, schemas) {
  return Object.entries(all ?? {}).flatMap(([kind, media]) => {
    const data = media['x-event-data'];
    const example = media.example;
    return [
      element('p', {}, element('code', {}, kind), ' ', element('span', { class: 'tag' }, kindOf(data ?? media.schema, schemas))),
      members(data ?? media.schema, schemas),
      example === undefined ? undefined : json(example),
    ];
  });
}

function answers(responses, schemas) {
  return Object.entries(responses).map(([status, response]) => {
    const summary = element('summary', {}, element('strong', {}, status), ' ', (response['x-codes'] ?? [response.description]).join(' '));
    return opening(summary, () => [response['x-codes'] ? prose(response.description) : undefined, ...content(response.content, schemas)]);
  });
}

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function curl(method, path, operation) {
  const lines = [`curl -X ${method.toUpperCase()} ${quoted(location.origin + path)}`];
  if (operation.security.some((scheme) => 'bearer' in scheme)) {
    lines.push(`-H "Authorization: Bearer $TOKEN"`);
  }
  if (operation.security.some((scheme) => 'client' in scheme)) lines.push(`-u "$CLIENT_ID:$CLIENT_SECRET"`);
  const [kind, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (media?.example !== undefined) {
    lines.push(`-H ${quoted(`Content-Type: ${kind}`)}`, `-d ${quoted(JSON.stringify(media.example))}`);
  }
  return lines.join(' \\\n  ');
}

function permission(operation) {
  const asked = operation['x-permission'];
  const tags = [];
  if (asked?.app) tags.push(`app permission ${asked.app}`);
  if (asked?.oneOf) tags.push(`app permission ${asked.oneOf.join(' or ')}, by what is asked`);
  if (asked?.person) tags.push(asked.person);
  if (operation['x-rate-limit-group']) tags.push(`rate limit: ${operation['x-rate-limit-group']}`);
  if (operation.security.length === 0) tags.push('no token');
  return tags.map((text) => element('span', { class: 'tag' }, text));
}

function inside(method, path, operation, schemas) {
  const also = operation['x-also-at'];
  const instead = operation['x-instead'];
  return [
    // The first line is the summary, which stands above.
    furtherProse(operation.description),
    element('p', {}, ...permission(operation)),
    operation.deprecated ? element('p', {}, instead ? `For former clients; use ${instead}.` : 'For former clients.') : undefined,
    also ? element('p', {}, 'Also at ', element('code', {}, also.join(' '))) : undefined,
    parameters(operation.parameters, schemas),
    operation.requestBody ? element('h3', {}, 'Body') : undefined,
    ...content(operation.requestBody?.content, schemas),
    element('h3', {}, 'Try it'),
    json(curl(method, path, operation)),
    element('h3', {}, 'Answers'),
    ...answers(operation.responses, schemas),
  ];
}

function shown(method, path, operation, schemas) {
  const summary = element(
    'summary',
    {},
    element('span', { class: `method ${method}` }, method.toUpperCase()),
    element('span', { class: 'path' }, path),
    element('br'),
    element('span', { class: 'summary' }, ...worded(operation.summary)),
  );
  const attributes = { id: operation.operationId, class: operation.deprecated ? 'deprecated' : undefined };
  const details = opening(summary, () => inside(method, path, operation, schemas), attributes);
  const codes = Object.values(operation.responses).flatMap((response) => response['x-codes'] ?? []);
  const words = [method, path, operation.operationId, operation.summary, operation.description, ...codes];
  return { details, words: words.join(' ').toLowerCase() };
}

function build(description) {
  const schemas = description.components.schemas;
  const groups = description.tags.map((tag) => {
    const items = [];
    for (const [path, methods] of Object.entries(description.paths)) {
      for (const method of METHODS) {
        const operation = methods[method];
        if (operation?.tags.includes(tag.name)) items.push({ operation, ...shown(method, path, operation, schemas) });
      }
    }
    const links = items.map((item) => element('li', {}, element('a', { href: `#${item.operation.operationId}` }, ...worded(item.operation.summary))));
    items.forEach((item, place) => Object.assign(item, { link: links[place] }));
    return {
      items,
      section: element('section', {}, element('h2', {}, tag.name), prose(tag.description), ...items.map((item) => item.details)),
      index: element('div', {}, element('strong', {}, tag.name), element('ul', {}, ...links)),
    };
  });
  document.getElementById('about').replaceChildren(prose(description.info.description));
  document.getElementById('groups').replaceChildren(...groups.map((group) => group.section));
  document.getElementById('index').replaceChildren(...groups.map((group) => group.index));
  return groups;
}

function search(groups, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const group of groups) {
    let some = 0;
    for (const item of group.items) {
      const wanted = words.every((word) => item.words.includes(word));
      item.details.hidden = !wanted;
      item.link.hidden = !wanted;
      some += wanted ? 1 : 0;
    }
    group.section.hidden = some === 0;
    group.index.hidden = some === 0;
    found += some;
  }
  document.getElementById('found').textContent = `${found} operations`;
}

/** Opens the operation that the address names. */
function open(groups) {
  const named = location.hash.slice(1);
  const item = groups.flatMap((group) => group.items).find(({ operation }) => operation.operationId === named);
  if (!item) return;
  item.details.open = true;
  item.details.scrollIntoView();
}

async function start() {
  const answer = await fetch('/api/v1/openapi.json');
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  const groups = build(await answer.json());
  const input = document.getElementById('search');
  input.addEventListener('input', () => search(groups, input.value));
  search(groups, '');
  addEventListener('hashchange', () => open(groups));
  open(groups);
}

start().catch((error) => {
  document.getElementById('state').textContent = `The reference could not be read: ${error.message}. Load the page again.`;
});
