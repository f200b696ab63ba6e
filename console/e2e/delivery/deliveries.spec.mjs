// Journeys through the deliveries of an endpoint.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EndpointServer, attempts, publish, registerInvoices } from '../endpoints/endpoint-server.mjs';
import { answersOf, run } from '../kernel/commands.mjs';
import { setStage, settled, until } from '../kernel/stage.mjs';

const { yard, visitor } = await setStage();
await registerInvoices(yard);

const create = (body) => yard.api('POST', '/api/v1/endpoints', body);
const deliveriesOf = async (id, query = '') => (await yard.api('GET', `/api/v1/deliveries?endpointId=${id}${query}`)).records;

describe('when it goes wrong', () => {
  it('shows what was sent and answered, and sends it again', async () => {
    const server = await EndpointServer.start({ status: 500, headers: { 'Content-Type': 'application/json' }, body: '{"error": "no such ledger"}' });
    const endpoint = await create({ url: server.url, eventTypes: ['invoice.paid'], ...attempts(1) });
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
    const server = await EndpointServer.start({ status: 500 });
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
    const server = await EndpointServer.start({ status: 500 });
    const endpoint = await create({ url: server.url, eventTypes: ['invoice.*'], failureThreshold: 0, ...attempts(1) });
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
    const server = await EndpointServer.start();
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

describe('every command that a page shows', () => {
  it('works for an endpoint and its deliveries', async () => {
    const server = await EndpointServer.start({ status: 500 });
    const endpoint = await create({ url: server.url, eventTypes: ['invoice.paid'], handshake: 'echo', headers: { 'X-Tenant': 'acme' }, ...attempts(1) });
    await publish(yard, 'invoice.paid', { invoiceId: 'inv_curl' });
    const [delivery] = await until('it is given up', async () => {
      const found = await deliveriesOf(endpoint.id, '&status=abandoned');
      return found.length > 0 && found;
    });
    server.answer = { status: 200 };
    const base = `/settings/webhooks/${endpoint.id}`;
    const page = await visitor.open(`${base}/deliveries/${delivery.id}`);
    await page.getByRole('complementary', { name: 'Delivery' }).getByText('Do this with curl').waitFor();
    const both = await answersOf(page, yard.directory);
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
    const overview = await answersOf(page, yard.directory);
    assert.equal(JSON.parse(overview.get('Pause it')).status, 'Paused');
    assert.equal(JSON.parse(overview.get('Resume it')).status, 'Active');
    assert.equal(JSON.parse(overview.get('Recover it')).kind, 'recover');
    assert.ok(JSON.parse(overview.get('Read these numbers')).totals.failedAttempts >= 1);

    await page.goto(`${yard.url}${base}/settings`);
    await page.getByLabel('Description').fill('By hand');
    const settings = await answersOf(page, yard.directory);
    assert.equal(JSON.parse(settings.get('Change this endpoint')).description, 'By hand');
    assert.equal(JSON.parse(settings.get('Reveal headers and credentials')).headers['X-Tenant'], 'acme');
    assert.equal(JSON.parse(settings.get('Shake hands again')).steps.at(-1).ok, true);
    assert.match(JSON.parse(settings.get('Reveal the signing secret')).secret, /^whsec_/);
    assert.equal(JSON.parse(settings.get('Rotate the signing secret')).secrets.length, 2);
    assert.equal(settings.get('Delete'), '');
  });

  it('works for requests, as they were', async () => {
    const server = await EndpointServer.start();
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
