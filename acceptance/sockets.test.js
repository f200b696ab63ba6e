// Events and REST over WebSocket, through RingCentral's own extension as it comes from npm, and
// what happens to both when connections, sessions and servers die.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';

import RestException from '@rc-ex/core/RestException';
import { Events } from '@rc-ex/ws';

import { Arrivals } from './arrivals.js';
import { startChatter } from './chatter.js';
import { appClient, beBusy, connect, makeSocket, signIn } from './official.js';
import { startYard } from './yard.js';

const POSTS = '/team-messaging/v1/posts';
const WEBHOOKS = '/team-messaging/v1/webhooks';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|\+0000)$/;
/** The client puts tokens into URLs as they are. */
const URL_SAFE = /^[\w.~-]+$/;
const LIMIT = { timeout: 30_000 };
const RECOVERY_TIMEOUT_S = 120;

/** A team, and a person who posts in it over HTTP. */
async function makeTeam(yard) {
  const author = await signIn(yard);
  const { id } = await author
    .teamMessaging()
    .v1()
    .teams()
    .post({ name: 'Sockets', public: false });
  const posts = author.teamMessaging().v1().chats(id).posts();
  return { author, id, say: (text) => posts.post({ text }) };
}

/** What a subscription to posts hears. */
function makeListener() {
  const heard = new Arrivals();
  return {
    listen: (event) => heard.add(event),
    /**
     * Waits for the post `last` and returns the texts of all that came with it, in order: what is
     * missing or came twice shows.
     */
    async textsUntil(last) {
      await heard.next(({ body }) => body.text === last, `the post "${last}"`);
      return [...heard.drain().map(({ body }) => body.text), last];
    },
    next: (text) => heard.next(({ body }) => body.text === text, `the post "${text}"`),
    removal: () => heard.next(({ body }) => body.eventType === 'PostRemoved', 'PostRemoved'),
    drain: () => heard.drain(),
  };
}

/** The exception by which the client tells of a refused call. */
async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
}

/** What the server says to an extension that comes with `wscToken`. */
async function comeBack(rc, wscToken) {
  const { socket } = await connect(rc, { wscToken, autoRecover: { enabled: false } });
  const { recoveryState, recoveryErrorCode } = socket.connectionDetails;
  await socket.revoke();
  return `${recoveryState} ${recoveryErrorCode}`;
}

describe('the WebSocket extension', { timeout: 180_000 }, () => {
  let yard;
  let team;
  let rc;
  let httpCalls;
  let made;
  let subscription;
  const listener = makeListener();

  before(async () => {
    yard = await startYard(`[websocket]\nrecovery_timeout_s = ${RECOVERY_TIMEOUT_S}\n`);
    team = await makeTeam(yard);
    rc = await signIn(yard);
    rc.rest.httpClient.interceptors.request.use((config) => {
      httpCalls.push(config.url);
      return config;
    });
    httpCalls = [];
  });

  after(async () => {
    await made?.socket.revoke();
    assert.deepEqual(await yard?.stop(), { code: 0, signal: null });
  });

  test('is given a token for the gateway', LIMIT, async () => {
    const { data } = await rc.post('/restapi/oauth/wstoken');
    const { uri, ws_access_token: token, expires_in: expiresIn, ...rest } = data;
    assert.equal(uri, `${yard.url.replace('http', 'ws')}/ws`);
    assert.match(token, URL_SAFE);
    assert.ok(expiresIn > 0 && expiresIn <= 600);
    assert.deepEqual(rest, {});
  });

  test('connects, and learns the rules', LIMIT, async () => {
    httpCalls = [];
    made = await connect(rc, { restOverWebSocket: true });
    const { creationTime, ...rules } = made.socket.connectionDetails;
    assert.match(creationTime, TIME);
    assert.deepEqual(rules, {
      maxConnectionsPerSession: rules.maxConnectionsPerSession,
      recoveryBufferSize: 100,
      recoveryTimeout: RECOVERY_TIMEOUT_S,
      idleTimeout: 1_800,
      absoluteTimeout: 86_400,
      maxActiveRequests: 10,
    });
    assert.ok(rules.maxConnectionsPerSession > 0);
    assert.match(made.socket.wsc.token, URL_SAFE);
    assert.ok(Number.isSafeInteger(made.socket.wsc.sequence));
    assert.deepEqual(httpCalls, ['/restapi/oauth/wstoken']);
  });

  test('subscribes', LIMIT, async () => {
    subscription = await made.socket.subscribe([POSTS], listener.listen);
    const { id, uri, creationTime, expirationTime, expiresIn, ...rest } =
      subscription.subscriptionInfo;
    assert.match(id, UUID);
    assert.ok(uri.endsWith(`/restapi/v1.0/subscription/${id}`), uri);
    assert.match(creationTime, TIME);
    assert.match(expirationTime, TIME);
    assert.ok(expiresIn > 0);
    assert.deepEqual(rest, {
      status: 'Active',
      eventFilters: [POSTS],
      deliveryMode: { transportType: 'WebSocket', encryption: false },
    });
  });

  test('hears of a post that was made over HTTP', LIMIT, async () => {
    const post = await team.say('made over HTTP');
    const event = await listener.next('made over HTTP');
    const { uuid, timestamp, body, ...rest } = event;
    assert.ok(uuid.length > 0);
    assert.match(timestamp, TIME);
    assert.deepEqual(rest, {
      event: POSTS,
      subscriptionId: subscription.subscriptionInfo.id,
      ownerId: rc.token.owner_id,
    });
    assert.deepEqual(body, { ...post, eventType: 'PostAdded' });
    assert.deepEqual(listener.drain(), []);
  });

  test('calls the API over its connection', LIMIT, async () => {
    httpCalls = [];
    const posts = (id) => rc.teamMessaging().v1().chats(team.id).posts(id);
    const post = await posts().post({ text: 'made over WebSocket' });
    assert.equal(post.creatorId, rc.token.owner_id);
    const event = await listener.next('made over WebSocket');
    assert.deepEqual(event.body, { ...post, eventType: 'PostAdded' });
    assert.deepEqual(await posts(post.id).get(), post);

    const changed = await posts(post.id).patch({ text: 'changed over WebSocket' });
    assert.equal(changed.text, 'changed over WebSocket');
    assert.equal((await listener.next(changed.text)).body.eventType, 'PostChanged');

    const deletion = await rc.delete(`/team-messaging/v1/chats/${team.id}/posts/${post.id}`);
    assert.equal(deletion.status, 204);
    assert.equal(deletion.data, undefined);
    const frame = await made.frames.next(([{ status }]) => status === 204, 'the answer as a frame');
    assert.equal(frame.length, 1);
    assert.equal(frame[0].type, 'ClientRequest');
    assert.equal((await listener.removal()).body.id, post.id);
    assert.deepEqual(listener.drain(), []);
    assert.deepEqual(httpCalls, []);
  });

  test('asks with parameters of every kind', LIMIT, async () => {
    const chats = await rc.get('/team-messaging/v1/chats', {
      type: ['Team', 'Everyone'],
      recordCount: 1,
      pageToken: undefined,
    });
    assert.equal(chats.status, 200);
    assert.equal(chats.data.records.length, 1);
    const all = await rc.get('/team-messaging/v1/chats', { type: ['Team', 'Everyone'] });
    assert.deepEqual(new Set(all.data.records.map(({ type }) => type)), new Set(['Team', 'Everyone']));
  });

  test('is told of errors as over HTTP', LIMIT, async () => {
    const path = `/team-messaging/v1/chats/${team.id}/posts/1`;
    const error = await refusal(rc.get(path));
    assert.ok(error instanceof RestException, `${error}`);
    const overHttp = await refusal(team.author.get(path));
    assert.equal(error.response.status, 404);
    assert.equal(error.response.data.errorCode, overHttp.response.data.errorCode);
    assert.deepEqual(error.response.data.errors, overHttp.response.data.errors);

    const refused = await refusal(made.socket.request('POST', '/restapi/v1.0/subscription', {}));
    assert.equal(refused.response.status, 400);
    assert.match(refused.response.data.errorCode, /^(CMN|SUB)-\d+$/);
  });

  test('asks as much at once as it may, and gets each answer', LIMIT, async () => {
    const { maxActiveRequests } = made.socket.connectionDetails;
    const texts = Array.from({ length: maxActiveRequests }, (_, index) => `at once ${index}`);
    const posts = rc.teamMessaging().v1().chats(team.id).posts();
    const answers = await Promise.all(texts.map((text) => posts.post({ text })));
    assert.deepEqual(
      answers.map(({ text }) => text),
      texts,
    );
    for (const text of texts) await listener.next(text);
  });

  test('loses no post and gets none twice when its connection breaks', LIMIT, async () => {
    const { id } = subscription.subscriptionInfo;
    await team.say('before the break');
    await listener.next('before the break');
    const broken = made.socket.ws;
    await made.cut();
    const missed = Array.from({ length: 20 }, (_, index) => `missed ${index}`);
    for (const text of missed) await team.say(text);
    httpCalls = [];
    made.mend();
    await made.recovery(Events.autoRecoverSuccess);
    assert.notEqual(made.socket.ws, broken);
    assert.equal(made.socket.connectionDetails.recoveryState, 'Successful');
    assert.equal(made.socket.connectionDetails.recoveryErrorCode, undefined);
    await team.say('after the break');
    assert.deepEqual(await listener.textsUntil('after the break'), [...missed, 'after the break']);
    assert.equal(subscription.subscriptionInfo.id, id);
    // The token for the gateway is good for more than one connection.
    assert.deepEqual(httpCalls, []);
  });

  test('loses nothing when its application is busy as it comes back', LIMIT, async () => {
    await made.cut();
    const missed = Array.from({ length: 20 }, (_, index) => `missed by the busy ${index}`);
    for (const text of missed) await team.say(text);
    made.socket.eventEmitter.once(Events.newWebSocketObject, (ws) => ws.once('open', beBusy));
    made.mend();
    await made.recovery(Events.autoRecoverSuccess);
    await team.say('busy no more');
    assert.deepEqual(await listener.textsUntil('busy no more'), [...missed, 'busy no more']);
  });

  test('is told of nothing before it knows its subscription', LIMIT, async () => {
    const guest = await signIn(yard);
    const { socket } = await connect(guest);
    const heard = makeListener();
    const texts = Array.from({ length: 60 }, (_, index) => `too early? ${index}`);
    const chatter = await startChatter({
      url: `${yard.url}/team-messaging/v1/chats/${team.id}/posts`,
      token: team.author.token.access_token,
      texts,
    });
    const subscribing = socket.subscribe([POSTS], heard.listen);
    beBusy();
    await subscribing;
    await chatter.finish();
    await team.say('known');
    const told = await heard.textsUntil('known');
    assert.ok(told.length > 1, 'there was something to tell');
    assert.deepEqual(told, [...texts, 'known'].slice(-told.length));
    assert.deepEqual(await listener.textsUntil('known'), [...texts, 'known']);
    await guest.revoke();
  });

  test('loses nothing when it breaks again and again while people post', LIMIT, async () => {
    const texts = Array.from({ length: 60 }, (_, index) => `in a storm ${index}`);
    const posting = (async () => {
      for (const text of texts) await team.say(text);
    })();
    for (let breaks = 0; breaks < 5; breaks += 1) {
      made.socket.ws.terminate();
      await made.recovery(Events.autoRecoverSuccess);
    }
    await posting;
    await team.say('calm');
    assert.deepEqual(await listener.textsUntil('calm'), [...texts, 'calm']);
  });

  test('gets the newest that the buffer holds when it misses more', LIMIT, async () => {
    const { recoveryBufferSize } = made.socket.connectionDetails;
    await made.cut();
    const missed = Array.from({ length: recoveryBufferSize + 5 }, (_, index) => `many ${index}`);
    for (const text of missed) await team.say(text);
    made.mend();
    await made.recovery(Events.autoRecoverSuccess);
    await team.say('after many');
    assert.deepEqual(await listener.textsUntil('after many'), [...missed.slice(5), 'after many']);
  });

  test('changes its filters and keeps its id', LIMIT, async () => {
    const { id } = subscription.subscriptionInfo;
    subscription.eventFilters = [POSTS, WEBHOOKS];
    await subscription.refresh();
    assert.equal(subscription.subscriptionInfo.id, id);
    assert.deepEqual(subscription.subscriptionInfo.eventFilters, [POSTS, WEBHOOKS]);
    subscription.eventFilters = [POSTS];
    await subscription.refresh();
    assert.deepEqual(subscription.subscriptionInfo.eventFilters, [POSTS]);
    await team.say('after the change');
    assert.deepEqual(await listener.textsUntil('after the change'), ['after the change']);
  });

  test('is taken over by another process with its token', LIMIT, async () => {
    const cache = subscription.subscriptionInfo;
    const { token } = made.socket.wsc;
    await made.cut();
    clearInterval(made.socket.intervalHandle);
    clearTimeout(made.socket.pingServerHandle);
    made.socket.disable();

    made = await connect(rc, { wscToken: token, restOverWebSocket: true });
    assert.equal(made.socket.connectionDetails.recoveryState, 'Successful');
    subscription = await made.socket.subscribe([POSTS], listener.listen, cache);
    assert.equal(subscription.subscriptionInfo.id, cache.id);
    await team.say('taken over');
    assert.deepEqual(await listener.textsUntil('taken over'), ['taken over']);
  });

  test('is refused what is not its own', LIMIT, async () => {
    const { token } = made.socket.wsc;
    const guest = await signIn(yard);
    assert.equal(await comeBack(guest, token), 'Failed WSG-1003');

    const { socket } = await connect(guest, { autoRecover: { enabled: false } });
    assert.equal(socket.connectionDetails.recoveryState, undefined);
    const idle = socket.wsc.token;
    await socket.revoke();
    assert.equal(await comeBack(guest, idle), 'Failed WSG-1005');

    const { socket: stranger } = makeSocket({ wscToken: 'no-token', autoRecover: { enabled: false } });
    const error = await refusal(guest.installExtension(stranger));
    assert.equal(error.constructor.name, 'ConnectionException');
    assert.deepEqual(error.wsgError, {
      errorCode: 'WSG-400',
      message: 'Malformed WebSocket session context token',
    });
    if (stranger.ws.readyState !== stranger.ws.CLOSED) await once(stranger.ws, 'close');
    await guest.revoke();

    await team.say('mine');
    assert.deepEqual(await listener.textsUntil('mine'), ['mine']);
  });

  test('makes a new subscription when the cached one is gone', LIMIT, async () => {
    const guest = await signIn(yard);
    const { socket } = await connect(guest);
    const heard = makeListener();
    const gone = { ...subscription.subscriptionInfo, id: '00000000-0000-4000-8000-000000000000' };
    const renewed = await socket.subscribe([POSTS], heard.listen, gone);
    assert.match(renewed.subscriptionInfo.id, UUID);
    assert.notEqual(renewed.subscriptionInfo.id, gone.id);
    await team.say('to both');
    assert.deepEqual(await heard.textsUntil('to both'), ['to both']);
    assert.deepEqual(await listener.textsUntil('to both'), ['to both']);
    await guest.revoke();
  });

  test('keeps its connection alive by heartbeats', LIMIT, async () => {
    const guest = await signIn(yard);
    const { socket, frames } = await connect(guest, { autoRecover: { pingServerInterval: 10 } });
    for (const name of ['an answer', 'the next answer']) {
      const [meta] = await frames.next(([{ type }]) => type === 'Heartbeat', name);
      assert.ok(meta.messageId.length > 0);
    }
    await guest.revoke();
  });

  test('is shut out when its session ends', LIMIT, async () => {
    const guest = await signIn(yard);
    const { socket, frames, recovery } = await connect(guest);
    await socket.subscribe([POSTS], () => {});
    const closed = once(socket.ws, 'close');
    await appClient(yard).revoke(guest.token.access_token);
    await closed;
    const [meta, body] = await frames.next(([{ type }]) => type === 'Error', 'the reason');
    assert.equal(meta.status, 401);
    assert.match(body.errorCode, /^OAU-\d+$/);
    // Its token for the gateway has not expired, and is worth nothing.
    const { error } = await recovery(Events.autoRecoverError);
    assert.equal(error.constructor.name, 'ConnectionException');
    assert.match(error.wsgError.errorCode, /^OAU-\d+$/);
    socket.subscription = undefined;
    await socket.revoke();
  });

  test('starts anew after the server lost its sessions', LIMIT, async () => {
    const { id } = subscription.subscriptionInfo;
    httpCalls = [];
    made.socket.options.autoRecover.enabled = false;
    await yard.crash();
    made.mend();
    await made.recovery(Events.autoRecoverFailed);
    assert.equal(made.socket.connectionDetails.recoveryState, 'Failed');
    assert.notEqual(subscription.subscriptionInfo.id, id);
    await team.say('after the crash');
    assert.deepEqual(await listener.textsUntil('after the crash'), ['after the crash']);
    assert.deepEqual(httpCalls, [], 'the token outlives the server');

    // The new session is one that can be recovered, like the first.
    await made.cut();
    await team.say('missed after the crash');
    made.mend();
    await made.recovery(Events.autoRecoverSuccess);
    await team.say('the end');
    assert.deepEqual(await listener.textsUntil('the end'), ['missed after the crash', 'the end']);
  });

  test('revokes its subscription, and hears nothing more', LIMIT, async () => {
    const { token } = made.socket.wsc;
    const { id } = subscription.subscriptionInfo;
    await subscription.revoke();
    const error = await refusal(
      made.socket.request('DELETE', `/restapi/v1.0/subscription/${id}`),
    );
    assert.equal(error.response.status, 404);
    await team.say('nobody listens');
    await rc.get(`/team-messaging/v1/chats/${team.id}`);
    const told = made.frames.drain().filter(([, body]) => body?.body?.text === 'nobody listens');
    assert.deepEqual(told, []);
    assert.deepEqual(listener.drain(), []);

    const closed = once(made.socket.ws, 'close');
    await made.socket.revoke();
    await closed;
    assert.match(await comeBack(rc, token), /^Failed WSG-1005$/);
  });
});

describe('a client that says nothing', { timeout: 60_000 }, () => {
  let yard;
  let team;
  let made;

  before(async () => {
    yard = await startYard('[websocket]\nidle_timeout_s = 1\n');
    team = await makeTeam(yard);
  });

  after(async () => {
    assert.deepEqual(await yard?.stop(), { code: 0, signal: null });
  });

  test('is shown out, comes back and has lost nothing', LIMIT, async () => {
    const rc = await signIn(yard);
    made = await connect(rc);
    assert.equal(made.socket.connectionDetails.idleTimeout, 1);
    const listener = makeListener();
    await made.socket.subscribe([POSTS], listener.listen);
    made.socket.options.autoRecover.enabled = false;
    await once(made.socket.ws, 'close');
    const [, body] = await made.frames.next(([{ type }]) => type === 'Error', 'the reason');
    assert.equal(body.errorCode, 'WSG-902');
    await team.say('said meanwhile');
    made.mend();
    await made.recovery(Events.autoRecoverSuccess);
    await team.say('said then');
    assert.deepEqual(await listener.textsUntil('said then'), ['said meanwhile', 'said then']);
    await made.socket.revoke();
  });
});
