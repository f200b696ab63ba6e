// Events through `@ringcentral/subscriptions`, the JavaScript SDK's companion, as it comes from npm.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';

import RingCentral from '@ringcentral/sdk';
import { Subscriptions } from '@ringcentral/subscriptions';

import { Arrivals } from './arrivals.js';
import { startYard } from './yard.js';

const POSTS = '/team-messaging/v1/posts';
const LIMIT = { timeout: 30_000 };

describe('the SDK for subscriptions', { timeout: 120_000 }, () => {
  let yard;
  let platform;
  let subscriptions;
  let team;
  const heard = new Arrivals();
  let registered;

  const json = async (promise) => (await promise).json();
  const say = (text) => json(platform.post(`/team-messaging/v1/chats/${team.id}/posts`, { text }));
  const next = (text) => heard.next(({ body }) => body.text === text, `the post "${text}"`);

  /** Registers the way the project's own page shows. */
  const register = async (eventFilters, listen) => {
    const subscription = subscriptions.createSubscription();
    subscription.on(subscription.events.notification, listen);
    return subscription.setEventFilters(eventFilters).register();
  };

  before(async () => {
    yard = await startYard();
    const { credentials } = yard;
    const sdk = new RingCentral.SDK({
      server: credentials.RC_SERVER_URL,
      clientId: credentials.RC_APP_CLIENT_ID,
      clientSecret: credentials.RC_APP_CLIENT_SECRET,
    });
    platform = sdk.platform();
    await platform.login({ jwt: credentials.RC_USER_JWT });
    team = await json(platform.post('/team-messaging/v1/teams', { name: 'Two SDKs' }));
    subscriptions = new Subscriptions({ sdk });
  });

  after(async () => {
    await subscriptions?.rc.revoke();
    assert.deepEqual(await yard?.stop(), { code: 0, signal: null });
  });

  test('subscribes', LIMIT, async () => {
    registered = await register([POSTS], (event) => heard.add(event));
    const { status, eventFilters, deliveryMode } = registered.subscriptionInfo;
    assert.equal(status, 'Active');
    assert.deepEqual(eventFilters, [POSTS]);
    assert.deepEqual(deliveryMode, { transportType: 'WebSocket', encryption: false });
  });

  test('hears of a post', LIMIT, async () => {
    const post = await say('Hello');
    const { event, subscriptionId, ownerId, body } = await next('Hello');
    assert.equal(event, POSTS);
    assert.equal(subscriptionId, registered.subscriptionInfo.id);
    assert.equal(ownerId, (await platform.auth().data()).owner_id);
    assert.deepEqual(body, { ...post, eventType: 'PostAdded' });
    assert.deepEqual(heard.remaining(), []);
  });

  test('has a connection for each of its subscriptions', LIMIT, async () => {
    const webhooks = new Arrivals();
    const other = await register(['/restapi/v1.0/glip/webhooks'], (event) => webhooks.add(event));
    assert.notEqual(other.wse.ws, registered.wse.ws);
    const hook = await json(platform.post(`/team-messaging/v1/groups/${team.id}/webhooks`));
    const { body } = await webhooks.next(() => true, 'the webhook');
    assert.deepEqual(body, { ...hook, eventType: 'WebhookCreated' });
    await say('Only one hears this');
    await next('Only one hears this');
    await other.revoke();
    await other.wse.revoke();
    assert.deepEqual(webhooks.remaining(), []);
    assert.deepEqual(heard.remaining(), []);
  });

  test('goes on after its tokens were refreshed', LIMIT, async () => {
    await platform.refresh();
    await say('With new tokens');
    await next('With new tokens');
  });

  test('comes back by itself, and has lost nothing', LIMIT, async () => {
    const { wse } = registered;
    const recovered = once(wse.eventEmitter, 'autoRecoverSuccess');
    wse.ws.terminate();
    // The extension looks after its connection every two seconds: all of these are missed at first.
    const missed = ['one', 'two', 'three'];
    for (const text of missed) await say(text);
    await recovered;
    await say('last');
    await next('last');
    assert.deepEqual(
      heard.drain().map(({ body }) => body.text),
      missed,
    );
  });

  test('revokes, and hears nothing more', LIMIT, async () => {
    const { wse } = registered;
    const { id } = registered.subscriptionInfo;
    await registered.revoke();
    await assert.rejects(
      wse.request('GET', `/restapi/v1.0/subscription/${id}`),
      ({ response }) => response.status === 404,
    );
    await say('nobody listens');
    const closed = once(wse.ws, 'close');
    await wse.revoke();
    await closed;
    assert.deepEqual(heard.remaining(), []);
  });
});
