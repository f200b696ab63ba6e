// Journeys through Settings > Webhooks, in a real browser against the real binary.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, afterEach, before, describe, it } from 'node:test';
import { commandsOf, run, tokenOf } from './commands.mjs';
import { EndpointServer, publish, registerInvoices, until } from './endpoint.mjs';
import { Visitor, launch, picture } from './visitor.mjs';
import { Yard } from './yard.mjs';

/** What a browser logs about an answer that a journey provokes. */
const refused = (status) => new RegExp(`Failed to load resource: the server responded with a status of ${status}`);

/** So many attempts in quick succession, then none: what fails is given up at once. */
const attempts = (attemptsMax) => ({ retryPolicy: { schedule: { kind: 'list', delaysMs: [100] }, attemptsMax, ageMaxMs: 86_400_000 } });
const once = attempts(1);

let browser;
let yard;
let visitor;
const servers = [];

async function endpointServer(answer) {
  const server = await EndpointServer.start(answer);
  servers.push(server);
  return server;
}

const settled = (page) => page.waitForFunction(() => document.querySelector('h1') && !document.querySelector('[aria-busy="true"]'));
const pathOf = (page) => new URL(page.url()).pathname;
const create = (body) => yard.api('POST', '/api/v1/endpoints', body);
const deliveriesOf = async (id, query = '') => (await yard.api('GET', `/api/v1/deliveries?endpointId=${id}${query}`)).records;
const focused = (page) =>
  page.evaluate(() => {
    const active = document.activeElement;
    return active?.getAttribute('aria-label') ?? (active?.id || active?.textContent?.trim()) ?? '';
  });

/** Presses Tab until `wanted` has the focus. */
async function tabTo(page, wanted, presses = 60) {
  for (let press = 0; press < presses; press += 1) {
    if (wanted.test(await focused(page))) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`${wanted} is out of reach; the focus is on “${await focused(page)}”`);
}

before(async () => {
  [browser, yard] = await Promise.all([launch(), Yard.start()]);
  await registerInvoices(yard);
  visitor = await Visitor.arrive(browser, yard.url);
  const link = new URL(yard.credentials.HOOKYARD_CONSOLE_URL);
  const page = await visitor.open(link.pathname + link.hash);
  await page.getByRole('navigation', { name: 'Chats' }).waitFor();
});

afterEach(() => visitor.leave());

after(async () => {
  for (const server of servers) server.stop();
  await browser?.close();
  await yard?.stop();
});

describe('get started', () => {
  it('begins with no endpoint, and says what to do', async () => {
    const page = await visitor.open('/settings/webhooks');
    await page.getByRole('heading', { name: 'No endpoints yet' }).waitFor();
    await page.getByRole('button', { name: 'Add your first endpoint' }).click();
    await page.getByRole('heading', { level: 1, name: 'Add endpoint' }).waitFor();
  });

  it('registers an endpoint by the steps of the guide', async () => {
    const server = await endpointServer();
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
    const server = await endpointServer();
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

    const server = await endpointServer();
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

  it('lends a bin to those who have no endpoint yet, and shows there what arrives', async () => {
    const page = await visitor.open('/settings/webhooks/new');
    await page.getByRole('button', { name: 'Use a bin' }).click();
    await page.waitForFunction(() => /\/bin\//.test(document.querySelector('#endpoint-url')?.value ?? ''));
    const href = await page.getByRole('link', { name: 'Watch it in another tab' }).getAttribute('href');
    await page.getByRole('treeitem', { name: /^All events/ }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('link', { name: 'Test' }).click();
    const watch = await visitor.open(href);
    await watch.getByText('Live', { exact: true }).waitFor();

    await page.getByLabel('Event type', { exact: true }).selectOption('invoice.paid');
    await page.getByLabel('Data').fill('{"invoiceId": "inv_bin"}');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('group', { name: 'Result' }).getByText('Delivered').waitFor();
    const request = watch.getByRole('region', { name: 'Request', exact: true });
    await request.getByText('The signature is valid').waitFor();
    assert.match(await request.getByRole('region', { name: 'Body' }).innerText(), /"invoiceId": "inv_bin"/);

    await watch.getByText('What it answers').click();
    await watch.getByLabel('Status').fill('503');
    await watch.getByRole('button', { name: 'Save' }).click();
    await watch.getByText('Saved').waitFor();
    const answer = await fetch(await watch.locator('.url code').innerText(), { method: 'POST', body: 'by hand' });
    assert.equal(answer.status, 503);
    await watch.getByText('2 requests, newest first').waitFor();
  });
});

describe('when it goes wrong', () => {
  it('shows what was sent and answered, and sends it again', async () => {
    const server = await endpointServer({ status: 500, headers: { 'Content-Type': 'application/json' }, body: '{"error": "no such ledger"}' });
    const endpoint = await create({ url: server.url, eventTypes: ['invoice.paid'], ...once });
    await publish(yard, 'invoice.paid', { invoiceId: 'inv_2' });
    await until('it is given up', async () => (await deliveriesOf(endpoint.id, '&status=abandoned')).length === 1);

    const page = await visitor.open(`/settings/webhooks/${endpoint.id}/deliveries`);
    await page.getByLabel('Status').selectOption('abandoned');
    await page.waitForURL(/status=abandoned/);
    await page.getByRole('link', { name: 'invoice.paid' }).click();
    const pane = page.getByRole('complementary', { name: 'Delivery' });
    await pane.getByText('No attempt was accepted, and there are no more.').waitFor();
    assert.match(await pane.getByRole('region', { name: 'Request body 1' }).innerText(), /"invoiceId": "inv_2"/);
    assert.match(await pane.getByRole('region', { name: 'Response body 1' }).innerText(), /no such ledger/);
    await pane.getByText(/\d+ headers of request 1/).click();
    assert.match(await pane.getByRole('region', { name: 'Request of attempt 1' }).innerText(), /webhook-id/i);
    assert.ok((await pane.innerText()).includes(new URL(server.url).host), 'the address that was dialled');
    const phases = await pane.getByRole('list', { name: 'Where the time of attempt 1 went' }).getByRole('listitem').allInnerTexts();
    for (const phase of phases) assert.match(phase, /^(Resolve|Connect|TLS|Answer)\s[\d.]+ ms$/);
    assert.match(phases.at(-1), /Answer/);

    server.answer = { status: 200 };
    await pane.getByRole('button', { name: 'Resend' }).click();
    await pane.getByText('Delivered', { exact: true }).waitFor();
    await pane.getByText('2 attempts').waitFor();
    assert.deepEqual(server.types, ['invoice.paid', 'invoice.paid']);
    await page.keyboard.press('Escape');
    await pane.waitFor({ state: 'detached' });
    assert.match(page.url(), /status=abandoned/);
  });

  it('brings an endpoint that failed too often back with one action, and loses nothing', async () => {
    const server = await endpointServer({ status: 500 });
    const endpoint = await create({ url: server.url, eventTypes: ['invoice.*'], failureThreshold: 3, ...attempts(3) });
    for (const type of ['invoice.created', 'invoice.sent', 'invoice.opened']) await publish(yard, type, { invoiceId: 'inv_3' });
    await until('it is errored', async () => (await yard.api('GET', `/api/v1/endpoints/${endpoint.id}`)).status === 'Errored');
    await publish(yard, 'invoice.paid', { invoiceId: 'inv_3' });
    const tried = server.requests.length;

    const page = await visitor.open('/settings/webhooks?status=Errored');
    await page.getByRole('link', { name: server.url }).click();
    await page.getByRole('alert').getByText(/nothing is sent any more\. Events are kept/).waitFor();
    assert.equal(server.requests.length, tried, 'nothing more is tried');
    server.answer = { status: 200 };
    server.requests.length = 0;
    await page.getByRole('button', { name: 'Recover', exact: true }).click();
    await page.getByText('Active', { exact: true }).waitFor();
    await page.getByText(/deliver(y|ies) recovered$/).first().waitFor();
    await until('everything arrived', () => new Set(server.types).size === 4);
    assert.equal(await page.getByRole('alert').count(), 0);
    await page.getByRole('link', { name: 'Deliveries' }).click();
    await page.getByLabel('Status').selectOption('delivered');
    await page.waitForFunction(() => document.querySelectorAll('section[aria-label="Today"] li').length === 4);
  });

  it('asks how many before it sends a whole set again, and shows how far it is', async () => {
    const server = await endpointServer({ status: 500 });
    const endpoint = await create({ url: server.url, eventTypes: ['invoice.*'], failureThreshold: 0, ...once });
    for (let n = 0; n < 7; n += 1) await publish(yard, n < 5 ? 'invoice.sent' : 'invoice.paid', { n });
    await until('all are given up', async () => (await deliveriesOf(endpoint.id, '&status=abandoned')).length === 7);
    server.answer = { status: 200 };
    server.requests.length = 0;

    const page = await visitor.open(`/settings/webhooks/${endpoint.id}/deliveries?status=abandoned&type=invoice.sent`);
    await page.getByRole('button', { name: 'Resend all that match…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Resend these deliveries?' });
    await dialog.getByText('5 deliveries that match the filters are sent').waitFor();
    await dialog.getByRole('button', { name: 'Resend 5 deliveries' }).click();
    await page.getByText('5 deliveries sent again').first().waitFor();
    await until('they arrived', () => server.requests.length >= 5);
    assert.deepEqual(new Set(server.types), new Set(['invoice.sent']));
    await page.getByRole('heading', { name: 'No delivery matches' }).waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await page.getByRole('checkbox', { name: /invoice\.paid, Given up/ }).first().check();
    await page.getByRole('button', { name: 'Resend 1 selected' }).click();
    await until('the sixth arrived', () => server.types.filter((type) => type === 'invoice.paid').length === 1);
  });

  it('replays what an endpoint was not there for', async () => {
    await publish(yard, 'payment.succeeded', { paymentId: 'pay_early' });
    const server = await endpointServer();
    const endpoint = await create({ url: server.url, eventTypes: ['payment.*'] });
    const page = await visitor.open(`/settings/webhooks/${endpoint.id}/deliveries`);
    await page.getByRole('heading', { name: 'Nothing was sent yet' }).waitFor();
    await page.getByRole('button', { name: 'Replay missing…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Replay', exact: true }).click();
    await page.getByText(/events? replayed/).first().waitFor();
    await until('it arrived', () => server.types.includes('payment.succeeded'));
    await page.getByRole('link', { name: 'payment.succeeded' }).first().waitFor();
  });
});

describe('an endpoint', () => {
  it('can be paused and resumed, and gets what waited', async () => {
    const server = await endpointServer();
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
    const server = await endpointServer();
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

  it('can be changed, its secret rotated, and be deleted', async () => {
    const server = await endpointServer();
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
  /** Runs all of a page's commands, and returns what each answered. */
  async function answersOf(page, adapt = (command) => command) {
    const commands = await commandsOf(page);
    const token = await tokenOf(page, yard.directory);
    const answers = new Map();
    for (const [name, command] of commands) {
      assert.ok(!command.includes(token), 'the page keeps its own token to itself');
      answers.set(name, await run(adapt(command), token));
    }
    return answers;
  }

  it('works in the list and for a new endpoint', async () => {
    const server = await endpointServer();
    const page = await visitor.open('/settings/webhooks');
    await settled(page);
    const listed = await answersOf(page, (command) => command.replace('https://example.com/events', server.url));
    assert.deepEqual([...listed.keys()], ['List endpoints', 'Add an endpoint']);
    assert.equal(JSON.parse(listed.get('Add an endpoint')).url, server.url);

    await page.goto(`${yard.url}/settings/webhooks/new`);
    await page.getByLabel('Endpoint', { exact: true }).fill(server.url);
    await page.getByLabel('Search event types').fill('payment');
    await page.getByRole('treeitem', { name: /^payment\b/ }).first().click();
    await page.getByText('Advanced').click();
    await page.getByLabel('Description').fill("The ledger's");
    const added = JSON.parse((await answersOf(page)).get('Add this endpoint'));
    assert.deepEqual([added.url, added.eventTypes, added.description], [server.url, ['payment.*'], "The ledger's"]);
  });

  it('works for an endpoint and its deliveries', async () => {
    const server = await endpointServer({ status: 500 });
    const endpoint = await create({ url: server.url, eventTypes: ['invoice.paid'], handshake: 'echo', headers: { 'X-Tenant': 'acme' }, ...once });
    await publish(yard, 'invoice.paid', { invoiceId: 'inv_curl' });
    const [delivery] = await until('it is given up', async () => {
      const found = await deliveriesOf(endpoint.id, '&status=abandoned');
      return found.length > 0 && found;
    });
    server.answer = { status: 200 };
    const base = `/settings/webhooks/${endpoint.id}`;
    const page = await visitor.open(`${base}/deliveries/${delivery.id}`);
    await page.getByRole('complementary', { name: 'Delivery' }).getByText('Do this with curl').waitFor();
    const both = await answersOf(page);
    assert.deepEqual(
      [...both.keys()],
      [
        'List these deliveries',
        'Resend all of them',
        'Recover what was given up in the last day',
        'Replay what was missed in the last day',
        'See how far that is',
        'Read this delivery',
        'Send it again',
      ],
    );
    assert.equal(JSON.parse(both.get('See how far that is')).records.length, 3);
    assert.equal(JSON.parse(both.get('Read this delivery')).attemptLog[0].responseCode, 500);

    await page.goto(yard.url + base);
    await settled(page);
    const overview = await answersOf(page);
    assert.equal(JSON.parse(overview.get('Pause it')).status, 'Paused');
    assert.equal(JSON.parse(overview.get('Resume it')).status, 'Active');
    assert.equal(JSON.parse(overview.get('Recover it')).kind, 'recover');
    assert.ok(JSON.parse(overview.get('Read these numbers')).totals.failedAttempts >= 1);

    await page.goto(`${yard.url}${base}/settings`);
    await page.getByLabel('Description').fill('By hand');
    const settings = await answersOf(page);
    assert.equal(JSON.parse(settings.get('Change this endpoint')).description, 'By hand');
    assert.equal(JSON.parse(settings.get('Reveal headers and credentials')).headers['X-Tenant'], 'acme');
    assert.equal(JSON.parse(settings.get('Shake hands again')).steps.at(-1).ok, true);
    assert.match(JSON.parse(settings.get('Reveal the signing secret')).secret, /^whsec_/);
    assert.equal(JSON.parse(settings.get('Rotate the signing secret')).secrets.length, 2);
    assert.equal(settings.get('Delete'), '');
  });

  it('works for a test and a scenario', async () => {
    const server = await endpointServer();
    const endpoint = await create({ url: server.url, eventTypes: ['invoice.paid'] });
    const page = await visitor.open(`/settings/webhooks/${endpoint.id}/test`);
    await page.getByLabel('Event type', { exact: true }).selectOption('invoice.paid');
    await page.getByLabel('Data').fill(`{"note": "it's"}`);
    const answers = await answersOf(page);
    assert.equal(JSON.parse(answers.get('Play a scenario')).kind, 'scenario');
    await until('the test arrives', () => server.requests.some(({ body }) => JSON.parse(body).data?.note === "it's"));
  });

  it('works for bins', async () => {
    const page = await visitor.open('/settings/bins');
    await settled(page);
    const made = JSON.parse((await answersOf(page)).get('Make a bin'));
    await page.goto(`${yard.url}/settings/bins/${made.id}`);
    const sample = page.getByRole('region', { name: 'Command that sends a request' });
    await run(await sample.textContent(), '');
    await page.getByText('1 request, newest first').waitFor();
    const answers = await answersOf(page);
    assert.match(answers.get('Watch it'), /ready/);
    assert.equal(JSON.parse(answers.get('Read its requests')).records[0].body, '{\n  "hello": "bin"\n}');
    assert.equal(JSON.parse(answers.get('Change its answer')).answer.status, 500);
    assert.deepEqual([answers.get('Empty it'), answers.get('Delete it')], ['', '']);
  });

  it('works for requests, as they were', async () => {
    const server = await endpointServer();
    const endpoint = await create({ url: server.url, eventTypes: ['invoice.paid'] });
    await publish(yard, 'invoice.paid', { invoiceId: 'inv_again' });
    const [first] = await until('it arrives', () => server.requests.length > 0 && server.requests);
    await visitor.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: yard.url });
    const page = await visitor.open(`/settings/webhooks/${endpoint.id}/deliveries`);
    await page.getByRole('link', { name: 'invoice.paid' }).click();
    const copy = page.getByRole('complementary', { name: 'Delivery' }).getByRole('button', { name: 'Copy as cURL' });
    await copy.click();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    await run(command, '');
    const again = server.requests[1];
    assert.deepEqual([again.method, again.body], [first.method, first.body]);
    for (const name of ['content-type', 'webhook-id', 'webhook-timestamp', 'user-agent']) assert.equal(again.headers[name], first.headers[name], name);
  });
});

describe('everybody', () => {
  it('can add an endpoint and read a delivery with the keyboard alone', async () => {
    const server = await endpointServer();
    const page = await visitor.open('/');
    await page.getByRole('link', { name: 'Settings' }).waitFor();
    await tabTo(page, /^Settings$/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Webhooks' }).waitFor();
    await settled(page);
    assert.match(await focused(page), /^Webhooks$/);
    await tabTo(page, /^Add endpoint$/, 5);
    await page.keyboard.press('Enter');
    await page.getByLabel('Endpoint', { exact: true }).waitFor();
    await tabTo(page, /^endpoint-url$/, 10);
    await page.keyboard.type(server.url);
    await tabTo(page, /^endpoint-eventTypes-search$/, 10);
    await page.keyboard.press('ArrowDown');
    // Typed letters find a branch; the arrows open it and go in; space ticks.
    await page.keyboard.type('inv');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.type('pa');
    await page.keyboard.press('Space');
    const paid = page.getByRole('treeitem', { name: /invoice\.paid/ });
    assert.equal(await paid.getAttribute('aria-checked'), 'true');
    assert.equal(await paid.evaluate((item) => item === document.activeElement), true);
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-checked')), 'mixed');
    await tabTo(page, /^Save$/, 10);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: server.url }).waitFor();

    await publish(yard, 'invoice.paid', { by: 'keyboard' });
    await until('it arrives', () => server.requests.length === 1);
    await tabTo(page, /^Deliveries$/, 12);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'invoice.paid' }).waitFor();
    await tabTo(page, /^invoice\.paid$/);
    await page.keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'Delivery' }).waitFor();
    assert.equal(await focused(page), 'Delivery');
    await page.keyboard.press('Escape');
    await page.getByRole('complementary', { name: 'Delivery' }).waitFor({ state: 'detached' });
    assert.equal(await focused(page), 'invoice.paid');
  });

  it('meets no barrier, in light and dark, at three widths', async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const [well, failing] = [await endpointServer(), await endpointServer({ status: 503, body: '{"error": "down for maintenance"}' })];
    const good = await create({ url: well.url, description: 'Accounting', eventTypes: ['invoice.*', 'payment.succeeded'], headers: { 'X-Tenant': 'acme' }, failureThreshold: 0, ...attempts(2) });
    for (const [status, count] of [[200, 9], [503, 3], [429, 1], [200, 5]]) {
      well.answer = { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ status }) };
      const before = well.requests.length;
      for (let n = 0; n < count; n += 1) await publish(yard, n % 3 === 2 ? 'payment.succeeded' : 'invoice.created', { invoiceId: `inv_${before + n}`, amount: 1284 });
      await until('it is settled', async () => (await deliveriesOf(good.id, '&status=waiting')).length === 0);
    }
    const bad = await create({ url: failing.url, description: 'CRM', eventTypes: ['invoice.paid'], failureThreshold: 2, ...attempts(3) });
    for (let n = 0; n < 3; n += 1) await publish(yard, 'invoice.paid', { n });
    await until('one is errored', async () => (await yard.api('GET', `/api/v1/endpoints/${bad.id}`)).status === 'Errored');
    const bin = await yard.api('POST', '/api/v1/bins', { name: 'Scratch' });
    await fetch(bin.url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"hello": "bin"}' });
    const [delivery] = await deliveriesOf(bad.id);
    const base = '/settings/webhooks';
    const deaf = await endpointServer();
    deaf.echoes = false;
    visitor.expecting(refused(400));
    const failHandshake = async (page) => {
      await page.getByLabel('Endpoint', { exact: true }).fill(deaf.url);
      await page.getByRole('treeitem', { name: /^All events/ }).click();
      await page.getByText('Advanced').click();
      await page.getByLabel('Handshake').selectOption('echo');
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('heading', { name: 'The handshake failed' }).waitFor();
    };
    const sendTest = async (page) => {
      await page.getByRole('button', { name: 'Send', exact: true }).click();
      await page.getByRole('group', { name: 'Result' }).getByText('Delivered').waitFor();
    };
    const places = [
      ['list', base],
      ['new', `${base}/new`, async (page) => page.getByText('Advanced').click()],
      ['handshake', `${base}/new`, failHandshake],
      ['overview', `${base}/${good.id}`],
      ['errored', `${base}/${bad.id}?range=7d`],
      ['deliveries', `${base}/${good.id}/deliveries`],
      ['delivery', `${base}/${bad.id}/deliveries/${delivery.id}`],
      ['test', `${base}/${good.id}/test`],
      ['tested', `${base}/${good.id}/test`, sendTest],
      ['settings', `${base}/${good.id}/settings`],
      ['rotating', `${base}/${good.id}/settings`, async (page) => page.getByRole('button', { name: 'Rotate…' }).click()],
      ['curl', base, async (page) => page.getByText('Do this with curl').click()],
      ['bins', '/settings/bins'],
      ['bin', `/settings/bins/${bin.id}`],
    ];
    const barriers = [];
    const page = await visitor.open(base);
    for (const [width, height] of [[390, 844], [820, 1080], [1360, 900]]) {
      for (const colorScheme of ['light', 'dark']) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        for (const [name, path, act] of places) {
          await page.goto(yard.url + path);
          await settled(page);
          await act?.(page);
          await picture(page, `webhooks-${name}-${width}-${colorScheme}`);
          const beside = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          if (beside > 0) barriers.push(`${name} ${width}: ${beside} pixels wider than the screen`);
          await page.evaluate(axe);
          const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
          for (const { id, impact, nodes } of violations) {
            for (const node of nodes) barriers.push(`${name} ${width} ${colorScheme}: ${impact} ${id}: ${node.html} ${node.failureSummary}`);
          }
        }
      }
    }
    assert.deepEqual(barriers, []);
  });
});
