// Events of an account's own types, published and received through the official CloudEvents SDK for
// JavaScript as it comes from npm.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { CloudEvent, HTTP, Mode, emitterFor } from 'cloudevents';

import { Arrivals } from './arrivals.js';
import { signIn } from './official.js';
import { startYard } from './yard.js';

const SOURCE = 'https://shop.example/billing';

let yard;
/** One for each format that events are sent in. */
let receivers;
let token;

/** Calls the API with a body as it is. */
async function call(method, path, headers, body) {
  const response = await fetch(`${yard.url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...headers },
    body,
  });
  const text = await response.text();
  return { status: response.status, text, json: text === '' ? undefined : JSON.parse(text) };
}

const callJson = (method, path, body) =>
  call(method, path, { 'Content-Type': 'application/json' }, JSON.stringify(body));

/** The transport that the SDK is given: its headers and its body, unchanged. */
const publish = ({ headers, body }) => call('POST', '/api/v1/events', headers, body);

/** A receiver that has the SDK read what comes. */
async function startCloudEventReceiver() {
  const events = new Arrivals();
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString('utf8');
    response.writeHead(200);
    response.end();
    events.add(HTTP.toEvent({ headers: request.headers, body }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${server.address().port}/`,
    next: (id) => events.next((event) => event.id === id, `event ${id}`),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function invoice(id, more = {}) {
  return new CloudEvent({
    id,
    type: 'invoice.paid',
    source: SOURCE,
    // The SDK writes header values as they are, so what is not ASCII has no place in binary mode.
    subject: `order/${id}`,
    time: '2026-03-26T09:18:41.460Z',
    datacontenttype: 'application/json',
    tenant: 'acme',
    data: { amount: 10.5, note: 'größer 😀' },
    ...more,
  });
}

/** Checks that an event arrived everywhere as it was sent. */
async function checkArrival(sent) {
  for (const receiver of receivers) {
    const got = await receiver.next(sent.id);
    for (const name of ['type', 'source', 'subject', 'time', 'tenant', 'datacontenttype']) {
      assert.equal(got[name], sent[name], name);
    }
    assert.deepEqual(got.data, sent.data);
  }
}

describe('the CloudEvents SDK', { timeout: 120_000 }, () => {
  before(async () => {
    yard = await startYard();
    token = (await signIn(yard)).token.access_token;
    const registered = await callJson('POST', '/api/v1/event-types', {
      name: 'invoice.paid',
      schema: { required: ['amount'], properties: { amount: { type: 'number' } } },
    });
    assert.equal(registered.status, 201, registered.text);
    receivers = [];
    for (const payloadFormat of ['cloudevents', 'cloudevents-binary']) {
      const receiver = await startCloudEventReceiver();
      receivers.push(receiver);
      const made = await callJson('POST', '/api/v1/endpoints', {
        url: receiver.address,
        eventTypes: ['invoice.*'],
        payloadFormat,
      });
      assert.equal(made.status, 201, made.text);
    }
  });

  after(async () => {
    for (const receiver of receivers ?? []) receiver.stop();
    assert.deepEqual(await yard?.stop(), { code: 0, signal: null });
  });

  for (const mode of [Mode.STRUCTURED, Mode.BINARY]) {
    test(`publishes in ${mode} mode, and repeats without harm`, async () => {
      const emit = emitterFor(publish, { mode });
      const event = invoice(`${mode}-1`);
      const first = await emit(event);
      assert.equal(first.status, 201, first.text);
      assert.equal(first.json.duplicate, false);
      await checkArrival(event);
      const again = await emit(event);
      assert.equal(again.status, 200, again.text);
      assert.deepEqual([again.json.id, again.json.duplicate], [first.json.id, true]);
      const other = await emit(event.cloneWith({ data: { amount: 11 } }));
      assert.equal(other.status, 409);
      assert.equal(other.json.errorCode, 'CMN-118');
    });
  }

  test('publishes a batch, all of it or nothing', async () => {
    const batch = (events) =>
      publish({
        headers: { 'Content-Type': 'application/cloudevents-batch+json' },
        body: JSON.stringify(events),
      });
    const good = [invoice('batch-1'), invoice('batch-2'), invoice('batch-3')];
    const wrong = await batch([...good, invoice('batch-4', { data: { amount: 'much' } })]);
    assert.equal(wrong.status, 400);
    assert.equal(wrong.json.errors[0].parameterName, '[3].data/amount');
    const published = await batch(good);
    assert.equal(published.status, 201, published.text);
    // Nothing of the refused batch was taken: none of them is a duplicate.
    assert.deepEqual(
      published.json.records.map(({ duplicate }) => duplicate),
      [false, false, false],
    );
    for (const event of good) await checkArrival(event);
  });

  test('is told what breaks the schema', async () => {
    const emit = emitterFor(publish, { mode: Mode.BINARY });
    const { status, json } = await emit(invoice('wrong', { data: { amount: '10' } }));
    assert.equal(status, 400);
    assert.equal(json.errorCode, 'CMN-101');
    assert.equal(json.errors[0].parameterName, 'data/amount');
  });
});
