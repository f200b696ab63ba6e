// The main job, end to end, through RingCentral's own SDK as it comes from npm: only the server's
// URL differs from what an integrator runs against RingCentral.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import RingCentral from '@ringcentral/sdk';

import { startReceiver } from './receiver.js';
import { startYard } from './yard.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const NUMBER = /^[1-9]\d*$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const VERIFICATION_TOKEN = 'a token of the subscriber';

let yard;
let receiver;
let platform;
let team;
let webhook;
let subscription;

const json = async (promise) => (await promise).json();
const api = {
  get: (path, query) => json(platform.get(path, query)),
  post: (path, body) => json(platform.post(path, body)),
};

/** The code of the error that the SDK throws for a refused call, and its status. */
async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    const { errorCode } = await error.response.clone().json();
    return `${error.response.status} ${errorCode}`;
  }
  throw new Error('the call was not refused');
}

/** Posts to the hook's URL the way `curl` does, and returns the answer. */
async function hit(url, payload) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(payload),
  });
  return { status: response.status, body: await response.text() };
}

/** Posts a card through the hook and returns the event that tells the subscriber of it. */
async function postThroughHook(payload) {
  assert.deepEqual(await hit(webhook.uri, payload), { status: 200, body: '{"status":"OK"}' });
  return receiver.next((body) => body.eventType === 'PostAdded', 'PostAdded');
}

/** Checks what every delivery has in common and returns the event's body. */
function checkEnvelope(event, filter) {
  assert.equal(event.method, 'POST');
  assert.match(event.headers['content-type'], /^application\/json/);
  assert.equal(event.headers['verification-token'], VERIFICATION_TOKEN);
  assert.equal(event.headers['validation-token'], undefined);
  const { uuid, timestamp, body, ...rest } = event.json;
  assert.match(uuid, NUMBER);
  assert.match(timestamp, TIME);
  assert.deepEqual(rest, {
    event: filter,
    subscriptionId: subscription.id,
    ownerId: team.creator,
  });
  return body;
}

/** Checks a post event against what a card should become; attachments lose their ids. */
function checkPost(event, wanted) {
  const body = checkEnvelope(event, '/team-messaging/v1/posts');
  const { id, creatorId, creationTime, lastModifiedTime, attachments, ...rest } = body;
  assert.match(id, NUMBER);
  assert.match(creatorId, NUMBER);
  assert.match(creationTime, TIME);
  assert.equal(lastModifiedTime, creationTime);
  const withoutIds = attachments?.map(({ id: attachment, ...content }) => {
    assert.ok(attachment, 'an attachment has an id');
    return content;
  });
  assert.deepEqual(
    { ...rest, attachments: withoutIds ?? null },
    {
      groupId: team.id,
      type: 'TextMessage',
      text: '',
      addedPersonIds: null,
      attachments: null,
      activity: null,
      title: null,
      iconUri: null,
      iconEmoji: null,
      mentions: null,
      eventType: 'PostAdded',
      ...wanted,
    },
  );
  return body;
}

describe('the official SDK', { timeout: 120_000 }, () => {
  before(async () => {
    yard = await startYard();
    receiver = await startReceiver();
    const { credentials } = yard;
    const sdk = new RingCentral.SDK({
      server: credentials.RC_SERVER_URL,
      clientId: credentials.RC_APP_CLIENT_ID,
      clientSecret: credentials.RC_APP_CLIENT_SECRET,
    });
    platform = sdk.platform();
  });

  after(async () => {
    receiver?.stop();
    assert.deepEqual(await yard?.stop(), { code: 0, signal: null });
  });

  test('logs in with the JWT credential', async () => {
    const jwt = yard.credentials.RC_USER_JWT;
    const grant = await json(platform.login({ jwt }));
    assert.equal(grant.token_type, 'bearer');
    assert.ok(grant.expires_in > 60 && grant.expires_in <= 3_600);
    assert.ok(Number.isInteger(grant.refresh_token_expires_in));
    assert.match(grant.owner_id, NUMBER);
    assert.ok(grant.scope.split(' ').includes('TeamMessaging'));
    assert.equal(await platform.loggedIn(), true);

    const extension = await api.get('/restapi/v1.0/account/~/extension/~');
    assert.equal(String(extension.id), grant.owner_id);
    assert.equal(typeof extension.id, 'number');
  });

  test('is told why a wrong JWT is refused', async () => {
    const { RC_SERVER_URL, RC_APP_CLIENT_ID, RC_APP_CLIENT_SECRET } = yard.credentials;
    const stranger = new RingCentral.SDK({
      server: RC_SERVER_URL,
      clientId: RC_APP_CLIENT_ID,
      clientSecret: RC_APP_CLIENT_SECRET,
      cachePrefix: 'stranger',
    }).platform();
    await assert.rejects(stranger.login({ jwt: 'not.a.jwt' }), (error) => {
      assert.equal(error.response.status, 400);
      return true;
    });
  });

  test('creates a team', async () => {
    const response = await platform.post('/team-messaging/v1/teams', {
      name: 'Builds',
      description: 'What the build server says',
      public: false,
    });
    assert.equal(response.status, 201);
    const created = await response.json();
    assert.equal(created.type, 'Team');
    assert.equal(created.name, 'Builds');
    assert.equal(created.description, 'What the build server says');
    assert.equal(created.public, false);
    assert.equal(created.status, 'Active');
    assert.match(created.id, NUMBER);
    assert.match(created.creationTime, TIME);
    const { owner_id: creator } = await platform.auth().data();
    team = { id: created.id, creator };

    const chat = await api.get(`/restapi/v1.0/glip/chats/${team.id}`);
    assert.deepEqual(chat.members, [{ id: creator }]);
  });

  test('creates an incoming webhook', async () => {
    webhook = await api.post(`/restapi/v1.0/glip/groups/${team.id}/webhooks`);
    const { id, uri, creationTime, lastModifiedTime, ...rest } = webhook;
    assert.match(id, UUID);
    assert.match(creationTime, TIME);
    assert.match(lastModifiedTime, TIME);
    assert.deepEqual(rest, { creatorId: team.creator, groupIds: [team.id], status: 'Active' });
    assert.ok(uri.startsWith(`${yard.url}/webhook/v2/`), uri);
    assert.ok(!uri.includes(id), 'the secret is not the id');

    const { records } = await api.get(`/team-messaging/v1/groups/${team.id}/webhooks`);
    assert.deepEqual(records, [webhook]);
  });

  test('subscribes a receiver, which is asked first', async () => {
    subscription = await api.post('/restapi/v1.0/subscription', {
      eventFilters: ['/team-messaging/v1/posts', '/restapi/v1.0/glip/webhooks'],
      expiresIn: 3_600,
      deliveryMode: {
        transportType: 'WebHook',
        address: receiver.address,
        verificationToken: VERIFICATION_TOKEN,
      },
    });
    const { id, uri, creationTime, expirationTime, expiresIn, ...rest } = subscription;
    assert.match(id, UUID);
    assert.equal(uri, `${yard.url}/restapi/v1.0/subscription/${id}`);
    assert.match(creationTime, TIME);
    assert.match(expirationTime, TIME);
    assert.ok(expiresIn > 3_590 && expiresIn < 3_600, `${expiresIn}`);
    assert.deepEqual(rest, {
      status: 'Active',
      eventFilters: ['/team-messaging/v1/posts', '/restapi/v1.0/glip/webhooks'],
      deliveryMode: { transportType: 'WebHook', encryption: false, address: receiver.address },
    });

    assert.equal(receiver.handshakes.length, 1);
    const [{ method, url, headers, text }] = receiver.handshakes;
    assert.equal(`${method} ${url}`, 'POST /events?source=acceptance');
    assert.equal(headers['verification-token'], VERIFICATION_TOKEN);
    assert.equal(headers['content-length'], '0');
    assert.equal(text, '');
  });

  test('is told when an address does not prove itself', async () => {
    const subscribe = (address) =>
      platform.post('/restapi/v1.0/subscription', {
        eventFilters: ['/team-messaging/v1/posts'],
        deliveryMode: { transportType: 'WebHook', address },
      });
    // This server's own health page answers, but not with the validation token.
    assert.match(await refusal(subscribe(`${yard.url}/healthz`)), /^400 SUB-52[02]$/);
    assert.equal(await refusal(subscribe('http://127.0.0.1:9/')), '400 SUB-521');
  });

  test('gets plain text of the second generation', async () => {
    const event = await postThroughHook({ text: 'Hello *world*' });
    checkPost(event, { text: 'Hello *world*' });
  });

  test('gets a card of the first generation in today’s words', async () => {
    const event = await postThroughHook({
      icon: 'https://example.com/icon.png',
      activity: 'Build server',
      title: '**Build 4711**',
      body: 'It passed.',
      attachments: [
        {
          type: 'Card',
          color: '#00ff2a',
          pretext: 'Before the card',
          author_name: 'Ada',
          author_link: 'https://example.com/ada',
          author_icon: 'https://example.com/ada.png',
          title: 'main is green',
          title_link: 'https://example.com/builds/4711',
          fallback: 'Build passed',
          fields: [
            { title: 'Branch', value: 'main', short: true },
            { title: 'Log', value: '[all of it](https://example.com/log)' },
          ],
          text: 'All tests passed',
          image_url: 'https://example.com/graph.png',
          thumb_url: 'https://example.com/thumb.png',
          footer: 'ci.example.com',
          footer_icon: 'https://example.com/ci.png',
          ts: 1_503_723_350,
        },
      ],
    });
    checkPost(event, {
      activity: 'Build server',
      title: '**Build 4711**',
      text: 'It passed.',
      iconUri: 'https://example.com/icon.png',
      attachments: [
        {
          type: 'Card',
          color: '#00ff2a',
          intro: 'Before the card',
          author: {
            name: 'Ada',
            uri: 'https://example.com/ada',
            iconUri: 'https://example.com/ada.png',
          },
          title: 'main is green',
          titleUri: 'https://example.com/builds/4711',
          fallback: 'Build passed',
          fields: [
            { title: 'Branch', value: 'main', style: 'Short' },
            { title: 'Log', value: '[all of it](https://example.com/log)', style: 'Long' },
          ],
          text: 'All tests passed',
          imageUri: 'https://example.com/graph.png',
          thumbnailUri: 'https://example.com/thumb.png',
          footnote: {
            text: 'ci.example.com',
            iconUri: 'https://example.com/ci.png',
            time: '2017-08-26T04:55:50.000Z',
          },
        },
      ],
    });
  });

  test('gets a card of the second generation', async () => {
    const card = {
      type: 'Card',
      color: 'Green',
      intro: 'Before the card',
      author: { name: 'Ada' },
      title: 'main is green',
      text: 'All tests passed',
      fields: [{ title: 'Branch', value: 'main', style: 'Short' }],
      footnote: { text: 'ci.example.com' },
    };
    const event = await postThroughHook({
      activity: 'Build server',
      iconEmoji: ':tada:',
      title: 'Build 4712',
      text: 'It passed again.',
      attachments: [card],
    });
    checkPost(event, {
      activity: 'Build server',
      iconEmoji: ':tada:',
      title: 'Build 4712',
      text: 'It passed again.',
      attachments: [card],
    });
  });

  test('gets a calendar event and a note', async () => {
    const event = await postThroughHook({
      title: 'Release day',
      attachments: [
        {
          type: 'Event',
          title: 'Release 1.0',
          startTime: '2026-11-21T09:00:00Z',
          endTime: '2026-11-21T10:30:00Z',
          location: 'Room 4',
          color: 'Purple',
        },
        { type: 'Note', title: 'What to check', text: '* the benchmarks' },
      ],
    });
    checkPost(event, {
      title: 'Release day',
      attachments: [
        {
          type: 'Event',
          title: 'Release 1.0',
          startTime: '2026-11-21T09:00:00.000Z',
          endTime: '2026-11-21T10:30:00.000Z',
          allDay: false,
          location: 'Room 4',
          color: 'Purple',
        },
        { type: 'Note', title: 'What to check', text: '* the benchmarks' },
      ],
    });
  });

  test('gets an Adaptive Card', async () => {
    const card = {
      type: 'AdaptiveCard',
      $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
      version: '1.3',
      body: [
        { type: 'TextBlock', text: 'Deploy to production?', weight: 'bolder' },
        { type: 'FactSet', facts: [{ title: 'Version', value: '1.0.0' }] },
      ],
      actions: [{ type: 'Action.OpenUrl', title: 'Look', url: 'https://example.com/deploy' }],
    };
    const event = await postThroughHook({ attachments: [card] });
    checkPost(event, { attachments: [card] });
  });

  test('sees that a bad card makes no post and is told so', async () => {
    const answer = await hit(webhook.uri, { attachments: [{ type: 'AdaptiveCard' }] });
    assert.equal(answer.status, 200);
    const { status, message, error } = JSON.parse(answer.body);
    assert.equal(status, 'error');
    assert.equal(message, 'Your request was accepted, however a post was not generated');
    assert.equal(error, 'Invalid AdaptiveCard payload');

    const gone = webhook.uri.replace(/[^/]+$/, 'A'.repeat(43));
    assert.deepEqual(await hit(gone, { text: 'hello' }), {
      status: 200,
      body:
        '{"status":"error","message":"Your request was accepted, however a post was not ' +
        'generated","error":"Webhook not found!"}',
    });
  });

  test('posts itself, and hears of it', async () => {
    const response = await platform.post(`/team-messaging/v1/chats/${team.id}/posts`, {
      text: 'I saw it',
    });
    assert.equal(response.status, 201);
    const post = await response.json();
    const event = await receiver.next((body) => body.eventType === 'PostAdded', 'PostAdded');
    const { eventType, ...body } = checkPost(event, { text: 'I saw it' });
    assert.equal(eventType, 'PostAdded');
    assert.deepEqual(post, body);
    assert.equal(post.creatorId, team.creator);
  });

  test('reads the posts back, page by page', async () => {
    const path = `/team-messaging/v1/chats/${team.id}/posts`;
    const posts = [];
    let query = { recordCount: 3 };
    for (let pages = 0; query; pages += 1) {
      assert.ok(pages < 10, 'paging ends');
      const page = await api.get(path, query);
      assert.ok(page.records.length <= 3);
      posts.push(...page.records);
      const older = page.navigation.prevPageToken;
      query = older ? { pageToken: older } : undefined;
    }
    const ours = posts.filter(({ type }) => type === 'TextMessage');
    assert.deepEqual(
      ours.map(({ title, text }) => title ?? text),
      ['I saw it', '', 'Release day', 'Build 4712', '**Build 4711**', 'Hello *world*'],
    );
    assert.equal(new Set(posts.map(({ id }) => id)).size, posts.length);
    assert.ok(posts.every(({ groupId }) => groupId === team.id));

    const one = await api.get(`${path}/${ours[0].id}`);
    assert.deepEqual(one, ours[0]);
  });

  test('hears of webhooks that come, change and go', async () => {
    const filter = '/restapi/v1.0/glip/webhooks';
    const other = await api.post(`/team-messaging/v1/groups/${team.id}/webhooks`);
    const created = await receiver.next(
      ({ eventType }) => eventType === 'WebhookCreated',
      'WebhookCreated',
    );
    assert.deepEqual(checkEnvelope(created, filter), { ...other, eventType: 'WebhookCreated' });

    const suspension = await platform.post(`/team-messaging/v1/webhooks/${other.id}/suspend`);
    assert.equal(suspension.status, 200);
    const suspended = await receiver.next(
      ({ eventType }) => eventType === 'WebhookUpdated',
      'WebhookUpdated',
    );
    const { before: was, after: is, eventType } = checkEnvelope(suspended, filter);
    assert.equal(eventType, 'WebhookUpdated');
    assert.deepEqual(was, { status: 'Active' });
    assert.match(is.lastModifiedTime, TIME);
    assert.deepEqual(
      { ...is, lastModifiedTime: other.lastModifiedTime },
      { ...other, status: 'Suspended' },
    );
    assert.equal(JSON.parse((await hit(other.uri, { text: 'hello' })).body).status, 'error');

    await platform.post(`/restapi/v1.0/glip/webhooks/${other.id}/activate`);
    const activated = await receiver.next(
      ({ eventType: type }) => type === 'WebhookUpdated',
      'WebhookUpdated',
    );
    assert.equal(activated.json.body.after.status, 'Active');

    await platform.delete(`/team-messaging/v1/webhooks/${other.id}`);
    const deleted = await receiver.next(
      ({ eventType: type }) => type === 'WebhookDeleted',
      'WebhookDeleted',
    );
    const body = checkEnvelope(deleted, filter);
    assert.equal(body.id, other.id);
    assert.equal(body.status, 'Deleted');
    assert.match(
      await refusal(platform.get(`/team-messaging/v1/webhooks/${other.id}`)),
      /^404 CMN-102$/,
    );
  });

  test('renews, changes and lists the subscription', async () => {
    const path = `/restapi/v1.0/subscription/${subscription.id}`;
    const renewed = await api.post(`${path}/renew`);
    assert.equal(renewed.id, subscription.id);
    assert.ok(renewed.expirationTime >= subscription.expirationTime);
    assert.ok(renewed.expiresIn > 3_590 && renewed.expiresIn < 3_600);

    const changed = await json(
      platform.put(path, { eventFilters: ['/team-messaging/v1/posts'], expiresIn: 7_200 }),
    );
    assert.deepEqual(changed.eventFilters, ['/team-messaging/v1/posts']);
    assert.ok(changed.expiresIn > 7_190 && changed.expiresIn < 7_200);
    assert.equal(changed.status, 'Active');

    const list = await api.get('/restapi/v1.0/subscription');
    assert.deepEqual(
      list.records.map(({ id }) => id),
      [subscription.id],
    );
    const read = await api.get(path);
    assert.deepEqual(read.deliveryMode, subscription.deliveryMode);
  });

  test('refreshes its tokens and goes on', async () => {
    const before = await platform.auth().data();
    await platform.refresh();
    const renewed = await platform.auth().data();
    assert.notEqual(renewed.access_token, before.access_token);
    assert.notEqual(renewed.refresh_token, before.refresh_token);
    const chats = await api.get('/team-messaging/v1/chats', { type: 'Team' });
    assert.ok(chats.records.some(({ id }) => id === team.id));

    // The token that was replaced is dead at once.
    const stale = await fetch(`${yard.url}/team-messaging/v1/chats`, {
      headers: { Authorization: `Bearer ${before.access_token}` },
    });
    assert.equal(stale.status, 401);
  });

  test('deletes the subscription, and hears nothing more', async () => {
    const path = `/restapi/v1.0/subscription/${subscription.id}`;
    const response = await platform.delete(path);
    assert.equal(response.status, 204);
    assert.match(await refusal(platform.get(path)), /^404 /);
    assert.deepEqual((await api.get('/restapi/v1.0/subscription')).records, []);

    const answer = await hit(webhook.uri, { text: 'nobody listens' });
    assert.equal(answer.body, '{"status":"OK"}');
    const { records } = await api.get(`/team-messaging/v1/chats/${team.id}/posts`, {
      recordCount: 1,
    });
    assert.equal(records[0].text, 'nobody listens');
    assert.deepEqual(receiver.remaining(), []);
  });

  test('logs out', async () => {
    const { access_token: token } = await platform.auth().data();
    await platform.logout();
    assert.equal(await platform.loggedIn(), false);
    const response = await fetch(`${yard.url}/team-messaging/v1/chats`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    assert.equal(response.status, 401);
    const { errorCode } = await response.json();
    assert.match(errorCode, /^OAU-\d+$/);
  });
});
