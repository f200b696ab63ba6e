// A WebHook subscription that asks to be reminded of its end, through the official TypeScript
// client: what is granted, what is disabled, what is refused and how the client shows it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import RingCentral from '@rc-ex/core';
import RestException from '@rc-ex/core/RestException';

import { startReceiver } from './receiver.js';
import { startYard } from './yard.js';

const POSTS = '/team-messaging/v1/posts';
/** Reminders begin 10 s before the end and come every 5 s. */
const REMINDER = '/restapi/v1.0/subscription/~?threshold=10&interval=5';
/** The shortest life in which such reminders make sense. */
const LIFE_S = 20;
const REMINDER_TIMEOUT_MS = 60_000;

let yard;
let receiver;
let rc;
let created;

const subscriptions = (id) => rc.restapi().subscription(id);

const subscribe = (eventFilters, more = {}) =>
  subscriptions().post({
    eventFilters,
    expiresIn: 3_600,
    deliveryMode: { transportType: 'WebHook', address: receiver.address },
    ...more,
  });

/** The exception by which the client tells of a refused call. */
async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof RestException, `not an exception of the client: ${error}`);
    return error;
  }
  throw new Error('the call was not refused');
}

/** What a refusal looks like to the client's user. */
async function brief(promise) {
  const { response } = await refusal(promise);
  return `${response.status} ${response.data.errorCode}`;
}

describe('a WebHook subscription with reminders', { timeout: 180_000 }, () => {
  before(async () => {
    yard = await startYard();
    receiver = await startReceiver();
    const { credentials } = yard;
    rc = new RingCentral({
      server: credentials.RC_SERVER_URL,
      clientId: credentials.RC_APP_CLIENT_ID,
      clientSecret: credentials.RC_APP_CLIENT_SECRET,
    });
    await rc.authorize({ jwt: credentials.RC_USER_JWT });
  });

  after(async () => {
    receiver?.stop();
    assert.deepEqual(await yard?.stop(), { code: 0, signal: null });
  });

  test('is created and shows its filters', async () => {
    created = await subscribe([POSTS, REMINDER], { expiresIn: LIFE_S });
    assert.equal(created.status, 'Active');
    assert.equal(created.disabledFilters, undefined);
    assert.equal(created.eventFilters.length, 2);
    assert.equal(created.eventFilters[0], POSTS);
    assert.ok(created.expiresIn >= LIFE_S - 2 && created.expiresIn < LIFE_S);
    assert.equal(receiver.handshakes.length, 1);
  });

  test('is reminded in the words of the filter, again and again', async () => {
    const isReminder = ({ expiresIn }) => expiresIn !== undefined;
    const seen = [];
    for (const name of ['the first reminder', 'the second reminder']) {
      const { json } = await receiver.next(isReminder, name, REMINDER_TIMEOUT_MS);
      assert.equal(json.event, REMINDER);
      assert.equal(json.subscriptionId, created.id);
      assert.match(json.uuid, /^[1-9]\d*$/);
      assert.deepEqual(Object.keys(json.body), ['expiresIn']);
      seen.push(json.body.expiresIn);
    }
    const [first, second] = seen;
    assert.ok(first <= 10 && second < first && second >= 0, `${seen}`);
  });

  test('is renewed for as long as it was granted', async () => {
    const renewed = await subscriptions(created.id).renew().post();
    assert.equal(renewed.id, created.id);
    assert.equal(renewed.status, 'Active');
    assert.deepEqual(renewed.eventFilters, created.eventFilters);
    assert.ok(renewed.expirationTime > created.expirationTime);
    assert.ok(renewed.expiresIn >= LIFE_S - 2 && renewed.expiresIn < LIFE_S);
  });

  test('is renewed with other filters and another life', async () => {
    const changed = await subscriptions(created.id).put({
      eventFilters: [POSTS],
      expiresIn: 7_200,
    });
    assert.deepEqual(changed.eventFilters, [POSTS]);
    assert.ok(changed.expiresIn > 7_190 && changed.expiresIn < 7_200);
    const { expiresIn, ...read } = await subscriptions(created.id).get();
    const { expiresIn: told, ...rest } = changed;
    assert.ok(expiresIn <= told);
    assert.deepEqual(read, rest);
  });

  test('keeps the filters that are permitted and tells of the others', async () => {
    const forbidden = {
      '/restapi/v1.0/account/~/extension/999/presence': 'SUB-408',
      '/restapi/v1.0/account/999/extension/~/presence': 'SUB-406',
    };
    for (const [filter, reason] of Object.entries(forbidden)) {
      const mixed = await subscribe([filter, POSTS]);
      assert.equal(mixed.status, 'Active');
      assert.deepEqual(mixed.eventFilters, [POSTS]);
      const [{ message, ...disabled }, ...others] = mixed.disabledFilters;
      assert.deepEqual([disabled, ...others], [{ filter, reason }]);
      assert.ok(message.length > 0);
      const read = await subscriptions(mixed.id).get();
      assert.deepEqual(read.disabledFilters, mixed.disabledFilters);
      await subscriptions(mixed.id).delete();

      assert.equal(await brief(subscribe([filter])), `403 ${reason}`);
    }
  });

  test('must remind of something', async () => {
    assert.equal(await brief(subscribe([REMINDER])), '400 SUB-515');
  });

  test('must be reminded in good time, and not too often', async () => {
    const reminder = (query) => `/restapi/v1.0/subscription/~${query}`;
    for (const query of [
      '',
      '?threshold=60',
      '?interval=15',
      '?threshold=sixty&interval=15',
      '?threshold=1801&interval=15',
      '?threshold=60&interval=31',
      '?threshold=60&interval=1',
    ]) {
      assert.equal(await brief(subscribe([POSTS, reminder(query)])), '400 SUB-516', query);
    }
  });

  test('must name events that exist', async () => {
    const error = await refusal(subscribe([POSTS, '/restapi/v1.0/no/such/events']));
    assert.equal(error.response.status, 400);
    const { errorCode, message, errors } = error.response.data;
    assert.equal(errorCode, 'SUB-508');
    assert.equal(message, 'Invalid event filters: [/restapi/v1.0/no/such/events]');
    assert.equal(errors.length, 1);
    assert.equal(errors[0].errorCode, errorCode);
    // The client makes its own message of ours: this is what people see in their logs.
    assert.ok(error.message.startsWith(`HTTP 400 Bad Request - ${message}`), error.message);
  });

  test('must be on a transport that exists, for a time that passes', async () => {
    const carried = (deliveryMode) => brief(subscribe([POSTS], { deliveryMode }));
    assert.equal(await carried({ transportType: 'Pigeon' }), '400 CMN-101');
    assert.equal(await carried({ transportType: 'WebHook' }), '400 CMN-101');
    assert.equal(await brief(subscribe([POSTS], { expiresIn: 0 })), '400 CMN-101');
  });

  test('asked the receiver no more often than it was created', () => {
    assert.equal(receiver.handshakes.length, 3);
  });

  test('is gone when it is deleted', async () => {
    await subscriptions(created.id).delete();
    assert.equal(await brief(subscriptions(created.id).renew().post()), '404 CMN-102');
    assert.equal(await brief(subscriptions(created.id).delete()), '404 CMN-102');
    assert.deepEqual((await subscriptions().list()).records, []);
  });
});
