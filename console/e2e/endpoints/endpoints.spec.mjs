// Journeys through Settings > Webhooks, in a real browser against the real binary.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answersOf } from '../kernel/commands.mjs';
import { focused, refused, setStage, settled, tabTo, until } from '../kernel/stage.mjs';
import { Visitor } from '../kernel/visitor.mjs';
import { EndpointServer, publish, registerInvoices } from './endpoint-server.mjs';

const { browser, yard, visitor } = await setStage();
await registerInvoices(yard);

const pathOf = (page) => new URL(page.url()).pathname;
const create = (body) => yard.api('POST', '/api/v1/endpoints', body);

describe('get started', () => {
  it('begins with no endpoint, and says what to do', async () => {
    const page = await visitor.open('/settings/webhooks');
    await page.getByRole('heading', { name: 'No endpoints yet' }).waitFor();
    await page.getByRole('button', { name: 'Add your first endpoint' }).click();
    await page.getByRole('heading', { level: 1, name: 'Add endpoint' }).waitFor();
  });

  it('registers an endpoint by the steps of the guide', async () => {
    const server = await EndpointServer.start();
    const newcomer = await Visitor.arrive(browser, yard.url);
    // Log in to the Console.
    const page = await newcomer.open('/');
    await page.getByLabel('E-mail').fill(yard.credentials.HOOKYARD_USERNAME);
    await page.getByLabel('Password').fill(yard.credentials.HOOKYARD_PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    // Navigate to Settings > Webhooks.
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'Webhooks' }).click();
    await page.getByRole('heading', { level: 1, name: 'Webhooks' }).waitFor();
    // Click the plus button in the top right corner.
    const plus = page.getByRole('button', { name: 'Add endpoint', exact: true });
    const box = await plus.boundingBox();
    const { width, height } = page.viewportSize();
    assert.ok(box.x + box.width > width - 64 && box.y + box.height < height / 6, `the plus button is at ${JSON.stringify(box)}`);
    await plus.click();
    // Enter your webhook endpoint's HTTPS URL in the Endpoint field; on one's own machine HTTP will do.
    await page.getByLabel('Endpoint', { exact: true }).fill(server.url);
    // Select the event types you want to receive at your webhook endpoint.
    await page.getByLabel('Search event types').fill('invoice');
    await page.getByRole('treeitem', { name: /^invoice\b/ }).first().click();
    assert.deepEqual(await page.getByRole('list', { name: 'Chosen' }).getByRole('listitem').allInnerTexts(), ['invoice.*']);
    // Click Save.
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: server.url }).waitFor();
    await page.getByText('Active', { exact: true }).waitFor();

    const [endpoint] = (await yard.api('GET', '/api/v1/endpoints')).records;
    assert.deepEqual([endpoint.url, endpoint.eventTypes, endpoint.status], [server.url, ['invoice.*'], 'Active']);
    assert.equal(pathOf(page), `/settings/webhooks/${endpoint.id}`);

    // It handles POST requests with a JSON payload that holds an event.
    await publish(yard, 'invoice.paid', { invoiceId: 'inv_1' });
    const [request] = await until('the event arrives', () => server.requests.length > 0 && server.requests);
    assert.equal(request.method, 'POST');
    assert.deepEqual([JSON.parse(request.body).type, JSON.parse(request.body).data], ['invoice.paid', { invoiceId: 'inv_1' }]);
    assert.match(request.headers['webhook-signature'], /^v1,/);

    await page.getByRole('link', { name: 'Deliveries' }).click();
    const line = page.getByRole('region', { name: 'Today' }).getByRole('listitem').filter({ hasText: 'invoice.paid' });
    await line.getByText('Delivered').waitFor();
    await page.goto(`${yard.url}/settings/webhooks`);
    const row = page.getByRole('list', { name: 'Endpoints' }).getByRole('listitem').filter({ hasText: server.url });
    assert.match(await row.innerText(), /Active/);
    await row.getByRole('img', { name: /Last 24 hours: 1 delivered, 0 failed attempts/ }).waitFor();
    await newcomer.leave();
  });

  it('shows a handshake step by step, when it works and when it does not', async () => {
    const server = await EndpointServer.start();
    server.echoes = false;
    visitor.expecting(refused(400));
    const page = await visitor.open('/settings/webhooks/new');
    await page.getByLabel('Endpoint', { exact: true }).fill(server.url);
    await page.getByRole('treeitem', { name: /^All events/ }).click();
    await page.getByText('Advanced').click();
    await page.getByLabel('Handshake').selectOption('echo');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('heading', { name: 'The handshake failed' }).waitFor();
    assert.equal(await focused(page), 'handshake-title');
    const steps = page.getByRole('list', { name: 'Handshake' }).getByRole('listitem');
    assert.match(await steps.last().innerText(), /failed/);
    assert.equal((await yard.api('GET', '/api/v1/endpoints')).records.filter(({ url }) => url === server.url).length, 0);

    server.echoes = true;
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('heading', { name: 'The endpoint agreed' }).waitFor();
    for (const text of await steps.allInnerTexts()) assert.match(text, /worked/);
    await page.getByRole('button', { name: 'Open the endpoint' }).click();
    await page.getByRole('heading', { level: 1, name: server.url }).waitFor();
  });

  it('takes each refusal to its field', async () => {
    visitor.expecting(refused(400));
    const page = await visitor.open('/settings/webhooks/new');
    const url = page.getByLabel('Endpoint', { exact: true });
    await url.waitFor();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    assert.equal(await focused(page), 'endpoint-url');
    assert.equal(await url.getAttribute('aria-invalid'), 'true');

    await url.fill('http://no-such-host.invalid/events');
    await page.getByRole('treeitem', { name: /^All events/ }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.waitForFunction(() => document.activeElement?.id === 'endpoint-url');
    assert.notEqual(await page.locator('#endpoint-url-error').innerText(), '');

    const server = await EndpointServer.start();
    await url.fill(server.url);
    await page.getByText('Advanced').click();
    await page.getByRole('button', { name: 'Add a header' }).click();
    await page.getByLabel('Name of header 1').fill('Host');
    await page.getByLabel('Value of header 1').fill('elsewhere');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.waitForFunction(() => document.activeElement?.id === 'endpoint-headers');
    await page.getByRole('button', { name: 'Remove header Host' }).click();

    const filter = page.getByLabel('Content filter');
    await filter.fill('{"data": {"amount": {"$gtt": 5}}}');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.waitForFunction(() => document.activeElement?.id === 'endpoint-contentFilter');
    await page.getByRole('button', { name: 'Show the place' }).click();
    assert.equal(await filter.evaluate((box) => box.value.slice(box.selectionStart, box.selectionEnd)), '"$gtt"');
    await filter.fill('{"data": {"amount" 5}}');
    await page.getByText('Line 1, column 20: A colon is expected here').waitFor();
    await filter.fill('{"data": {"amount": {"$gt": 5}}}');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: server.url }).waitFor();
  });
});

describe('an endpoint', () => {
  it('can be paused and resumed, and gets what waited', async () => {
    const server = await EndpointServer.start();
    const endpoint = await create({ url: server.url, eventTypes: ['invoice.paid'] });
    const page = await visitor.open(`/settings/webhooks/${endpoint.id}`);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused', { exact: true }).waitFor();
    await publish(yard, 'invoice.paid', { while: 'paused' });
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('Active', { exact: true }).waitFor();
    await until('it arrived', () => server.requests.length === 1);
  });

  it('plays a whole journey, step by step', async () => {
    const server = await EndpointServer.start();
    const endpoint = await create({ url: server.url, eventTypes: ['*'], ordered: true });
    const page = await visitor.open(`/settings/webhooks/${endpoint.id}/test`);
    await page.getByLabel('Scenario', { exact: true }).selectOption('invoice-paid');
    await page.getByLabel('Between steps').selectOption('0');
    await page.getByRole('button', { name: 'Play' }).click();
    const steps = page.getByRole('list', { name: 'Steps of invoice-paid' }).getByRole('listitem');
    await page.waitForFunction(() => [...document.querySelectorAll('ol[aria-label="Steps of invoice-paid"] li')].every((step) => /Delivered/.test(step.textContent)));
    assert.equal(await steps.count(), 6);
    assert.deepEqual(server.types.slice(0, 6), ['invoice.created', 'invoice.sent', 'invoice.opened', 'payment.declined', 'payment.succeeded', 'invoice.paid']);
  });

  it('gets a verification token that the browser makes', async () => {
    const server = await EndpointServer.start();
    const page = await visitor.open('/settings/webhooks/new');
    await page.getByLabel('Endpoint', { exact: true }).fill(server.url);
    await page.getByRole('treeitem', { name: /^All events/ }).click();
    await page.getByText('Advanced').click();
    await page.getByRole('button', { name: 'Generate a verification token' }).click();
    const token = await page.getByLabel('Verification token', { exact: true }).inputValue();
    assert.match(token, /^[\w-]{43}$/);
    await page.getByRole('button', { name: 'Copy token' }).waitFor();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: server.url }).waitFor();
    await publish(yard, 'invoice.paid', {});
    const [request] = await until('it arrives', () => server.requests.length > 0 && server.requests);
    assert.equal(request.headers['verification-token'], token);
  });

  it('can be changed, its secret rotated, and be deleted', async () => {
    const server = await EndpointServer.start();
    const endpoint = await create({ url: server.url, eventTypes: ['invoice.paid'], headers: { 'X-Tenant': 'acme', 'X-Old': 'gone' } });
    const page = await visitor.open(`/settings/webhooks/${endpoint.id}/settings`);
    await page.getByLabel('Description').fill('The ledger');
    await page.getByRole('button', { name: 'Remove header X-Old' }).click();
    await page.getByRole('button', { name: 'Add a header' }).click();
    await page.getByLabel('Name of header 2').fill('X-New');
    await page.getByLabel('Value of header 2').fill('1');
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
    const changed = await yard.api('GET', `/api/v1/endpoints/${endpoint.id}?reveal=true`);
    assert.deepEqual([changed.description, changed.headers], ['The ledger', { 'X-Tenant': 'acme', 'X-New': '1' }]);

    const secret = page.getByRole('region', { name: 'Signing secret' });
    await secret.getByRole('button', { name: 'Reveal' }).click();
    const before = await secret.getByText(/^whsec_[A-Za-z0-9+/=]+$/).innerText();
    await secret.getByRole('button', { name: 'Rotate…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate', exact: true }).click();
    await secret.getByText('The one before also signs').waitFor();
    assert.notEqual(await secret.getByText(/^whsec_[A-Za-z0-9+/=]+$/).innerText(), before);
    await publish(yard, 'invoice.paid', {});
    const [request] = await until('it arrives', () => server.requests.length > 0 && server.requests);
    assert.equal(request.headers['webhook-signature'].split(' ').length, 2);

    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete for good' }).click();
    await page.getByText('The endpoint was deleted.').waitFor();
    await assert.rejects(yard.api('GET', `/api/v1/endpoints/${endpoint.id}`), /404/);
  });
});

describe('every command that a page shows', () => {
  it('works in the list and for a new endpoint', async () => {
    const server = await EndpointServer.start();
    const page = await visitor.open('/settings/webhooks');
    await settled(page);
    const listed = await answersOf(page, yard.directory, (command) => command.replace('https://example.com/events', server.url));
    assert.deepEqual([...listed.keys()], ['List endpoints', 'Add an endpoint']);
    assert.equal(JSON.parse(listed.get('Add an endpoint')).url, server.url);

    await page.goto(`${yard.url}/settings/webhooks/new`);
    await page.getByLabel('Endpoint', { exact: true }).fill(server.url);
    await page.getByLabel('Search event types').fill('payment');
    await page.getByRole('treeitem', { name: /^payment\b/ }).first().click();
    await page.getByText('Advanced').click();
    await page.getByLabel('Description').fill("The ledger's");
    const added = JSON.parse((await answersOf(page, yard.directory)).get('Add this endpoint'));
    assert.deepEqual([added.url, added.eventTypes, added.description], [server.url, ['payment.*'], "The ledger's"]);
  });

  it('works for a test and a scenario', async () => {
    const server = await EndpointServer.start();
    const endpoint = await create({ url: server.url, eventTypes: ['invoice.paid'] });
    const page = await visitor.open(`/settings/webhooks/${endpoint.id}/test`);
    await page.getByLabel('Event type', { exact: true }).selectOption('invoice.paid');
    await page.getByLabel('Data').fill(`{"note": "it's"}`);
    const answers = await answersOf(page, yard.directory);
    assert.equal(JSON.parse(answers.get('Play a scenario')).kind, 'scenario');
    await until('the test arrives', () => server.requests.some(({ body }) => JSON.parse(body).data?.note === "it's"));
  });
});
