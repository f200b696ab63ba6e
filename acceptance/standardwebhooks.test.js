// What endpoints receive, verified by the Standard Webhooks library for JavaScript as it comes from
// npm: all that a receiver needs is the secret.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { Webhook, WebhookVerificationError } from 'standardwebhooks';

import { Arrivals } from './arrivals.js';
import { signIn } from './official.js';
import { startYard } from './yard.js';

/** Long enough for an event to arrive within it, short enough to wait for its end. */
const OVERLAP_S = 3;
const OVERLAP_END_TIMEOUT_MS = 10_000;

let yard;
let token;
const receivers = [];

async function call(method, path, body) {
  const response = await fetch(`${yard.url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** A receiver that keeps what it needs to verify: the headers, and the body as it came. */
async function startReceiver() {
  const requests = new Arrivals();
  const receiver = { status: 200, requests };
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    response.writeHead(receiver.status).end();
    requests.add({ headers: request.headers, body: Buffer.concat(chunks) });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  receiver.address = `http://127.0.0.1:${server.address().port}/`;
  receiver.next = (name) => requests.next(() => true, name);
  receiver.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  receivers.push(receiver);
  return receiver;
}

/** An endpoint for invoices at a receiver of its own, and its secret. */
async function makeEndpoint(settings = {}) {
  const receiver = await startReceiver();
  const body = { url: receiver.address, eventTypes: ['invoice.*'], ...settings };
  const { id } = await call('POST', '/api/v1/endpoints', body);
  return { id, receiver, path: `/api/v1/endpoints/${id}` };
}

const secretOf = async ({ path }) => (await call('GET', `${path}/secret`)).secret;
const publish = (data, type = 'invoice.paid') => call('POST', '/api/v1/events', { type, data });
const verify = (secret, { headers, body }) => new Webhook(secret).verify(body, headers);
const refuses = (secret, request) =>
  assert.throws(() => verify(secret, request), WebhookVerificationError);

describe('the Standard Webhooks library', { timeout: 120_000 }, () => {
  before(async () => {
    yard = await startYard();
    token = (await signIn(yard)).token.access_token;
    await call('POST', '/api/v1/event-types', { name: 'invoice.paid' });
  });

  after(async () => {
    for (const receiver of receivers) receiver.stop();
    assert.deepEqual(await yard?.stop(), { code: 0, signal: null });
  });

  test('verifies an event, byte for byte as it was published', async () => {
    const endpoint = await makeEndpoint();
    const secret = await secretOf(endpoint);
    const { id } = await call(
      'POST',
      '/api/v1/events',
      '{"type": "invoice.paid", "data": { "amount" : 10.50, "note":"größer 😀" }}',
    );
    const request = await endpoint.receiver.next('the event');
    const event = verify(secret, request);
    assert.deepEqual([event.type, event.data], ['invoice.paid', { amount: 10.5, note: 'größer 😀' }]);
    assert.equal(request.headers['webhook-id'], event.id);
    assert.equal(event.id, `evt_${id}`);
    assert.ok(request.body.includes('{ "amount" : 10.50, "note":"größer 😀" }'));
  });

  test('refuses what was tampered with, and other secrets', async () => {
    const endpoint = await makeEndpoint();
    const secret = await secretOf(endpoint);
    await publish({ amount: 10 });
    const request = await endpoint.receiver.next('the event');
    verify(secret, request);
    const body = Buffer.from(request.body.toString().replace('10', '99'));
    assert.notDeepEqual(body, request.body);
    refuses(secret, { ...request, body });
    for (const [name, value] of [
      ['webhook-id', 'evt_1'],
      ['webhook-timestamp', String(Number(request.headers['webhook-timestamp']) + 1)],
      ['webhook-signature', ''],
    ]) {
      refuses(secret, { ...request, headers: { ...request.headers, [name]: value } });
    }
    refuses(`whsec_${randomBytes(32).toString('base64')}`, request);
  });

  test('verifies with a secret of one’s own', async () => {
    const secret = `whsec_${randomBytes(24).toString('base64')}`;
    const endpoint = await makeEndpoint({ secret });
    assert.equal(await secretOf(endpoint), secret);
    await publish({ own: true });
    assert.equal(verify(secret, await endpoint.receiver.next('the event')).data.own, true);
  });

  test('verifies every attempt, each with a timestamp of its own', async () => {
    const schedule = { kind: 'list', delaysMs: [1_500] };
    const endpoint = await makeEndpoint({ retryPolicy: { schedule } });
    const secret = await secretOf(endpoint);
    endpoint.receiver.status = 503;
    await publish({ attempts: 2 });
    const first = await endpoint.receiver.next('the first attempt');
    endpoint.receiver.status = 200;
    const second = await endpoint.receiver.next('the second attempt');
    assert.deepEqual(verify(secret, second), verify(secret, first));
    assert.equal(second.headers['webhook-id'], first.headers['webhook-id']);
    assert.ok(second.headers['webhook-timestamp'] > first.headers['webhook-timestamp']);
  });

  test('verifies a batch', async () => {
    const endpoint = await makeEndpoint({ batchingIntervalMinutes: 60 });
    const secret = await secretOf(endpoint);
    // What waits for the end of its interval is due when a pause ends.
    await call('POST', `${endpoint.path}/pause`);
    for (const n of [1, 2, 3]) await publish({ n });
    await call('POST', `${endpoint.path}/resume`);
    const request = await endpoint.receiver.next('the batch');
    const events = verify(secret, request);
    assert.deepEqual(
      events.map(({ type, data }) => [type, data.n]),
      [1, 2, 3].map((n) => ['invoice.paid', n]),
    );
    assert.match(request.headers['webhook-id'], /^batch_/);
    refuses(secret, { ...request, body: Buffer.from(JSON.stringify(events.slice(1))) });
  });

  test('verifies with either secret while they overlap, then with the new one alone', async () => {
    const endpoint = await makeEndpoint();
    const former = await secretOf(endpoint);
    await call('POST', `${endpoint.path}/secret/rotate`, { overlapS: OVERLAP_S });
    const current = await secretOf(endpoint);
    assert.notEqual(current, former);
    await publish({ during: 'the overlap' });
    const during = await endpoint.receiver.next('the event during the overlap');
    assert.deepEqual(verify(former, during), verify(current, during));

    const deadline = Date.now() + OVERLAP_END_TIMEOUT_MS;
    while ((await call('GET', endpoint.path)).secrets.length > 1) {
      assert.ok(Date.now() < deadline, 'the overlap has an end');
      await pause(100);
    }
    await publish({ after: 'the overlap' });
    const after = await endpoint.receiver.next('the event after the overlap');
    assert.deepEqual(verify(current, after).data, { after: 'the overlap' });
    refuses(former, after);
  });
});
