// RingCentral's WebSocket extension over a network that lags, and that fails for longer than the
// server waits.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { Events } from '@rc-ex/ws';

import { Arrivals } from './arrivals.js';
import { connect, makeSocket, signIn } from './official.js';
import { startRelay } from './relay.js';
import { startYard } from './yard.js';

const POSTS = '/team-messaging/v1/posts';
const LIMIT = { timeout: 30_000 };
const RECOVERY_TIMEOUT_S = 2;
/**
 * The extension listens for notifications a step after it was told that it is connected or
 * subscribed: those that arrive in one piece with that are lost to it, or end its program.
 */
const LAG_MS = 25;

describe('the WebSocket extension on a bad network', { timeout: 60_000 }, () => {
  let relay;
  let yard;
  let rc;
  let chat;
  let made;
  let subscription;
  const heard = new Arrivals();

  /** Posts without the relay, so that it works while the network does not. */
  const say = async (text) => {
    const response = await fetch(`${yard.url}/team-messaging/v1/chats/${chat}/posts`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${rc.token.access_token}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ text }),
    });
    assert.equal(response.status, 201);
    await response.body.cancel();
  };
  /** The texts of all that was heard, in order, once `last` is among them. */
  const textsUntil = async (arrivals, last) => {
    await arrivals.next(({ body }) => body.text === last, `the post "${last}"`);
    return [...arrivals.drain().map(({ body }) => body.text), last];
  };

  before(async () => {
    relay = await startRelay({ lag_ms: LAG_MS });
    yard = await startYard(
      `public_url = "${relay.url}"\n[websocket]\nrecovery_timeout_s = ${RECOVERY_TIMEOUT_S}\n`,
    );
    relay.leadTo(yard.url);
    rc = await signIn(yard);
    const teams = rc.teamMessaging().v1().teams();
    ({ id: chat } = await teams.post({ name: 'Far away', public: false }));
  });

  after(async () => {
    await made?.socket.revoke();
    assert.deepEqual(await yard?.stop(), { code: 0, signal: null });
    relay?.stop();
  });

  test('subscribes in the middle of a conversation', LIMIT, async () => {
    made = await connect(rc);
    let said = 0;
    let talking = true;
    const conversation = (async () => {
      while (talking) await say(`${++said}`);
    })();
    subscription = await made.socket.subscribe([POSTS], (event) => heard.add(event));
    talking = false;
    await conversation;
    await say('the end');
    const texts = await textsUntil(heard, 'the end');
    assert.ok(texts.length > 1, 'the conversation went on');
    const all = [...Array.from({ length: said }, (_, index) => `${index + 1}`), 'the end'];
    assert.deepEqual(texts, all.slice(-texts.length));
  });

  test('reads several objects in one frame', LIMIT, async () => {
    const { owner_id: me } = rc.token;
    const { status, data } = await made.socket.request(
      'GET',
      `/team-messaging/v1/persons/${me},${me}`,
    );
    assert.equal(status, 207);
    assert.match(data, /^--Boundary/);
    assert.equal(data.split(`"id":"${me}"`).length, 3, data);
  });

  // Twice, as the second recovery needs what the extension learned in the first.
  for (const which of ['first', 'second']) {
    test(`hears what the ${which} failure kept from it`, LIMIT, async () => {
      const { id } = subscription.subscriptionInfo;
      relay.fail();
      const missed = [`missed in the ${which}`, `missed in the ${which}, too`];
      for (const text of missed) await say(text);
      relay.mend();
      await made.recovery(Events.autoRecoverSuccess);
      assert.equal(made.socket.connectionDetails.recoveryState, 'Successful');
      assert.equal(subscription.subscriptionInfo.id, id);
      await say('in time');
      assert.deepEqual(await textsUntil(heard, 'in time'), [...missed, 'in time']);
    });
  }

  test('is refused its session when it comes too late, and subscribes anew', LIMIT, async () => {
    const { id } = subscription.subscriptionInfo;
    assert.equal(made.socket.connectionDetails.recoveryTimeout, RECOVERY_TIMEOUT_S);
    const dialled = once(made.socket.eventEmitter, Events.newWebSocketObject);
    relay.fail();
    // It dials at once, to recover, and the network does not let it through in time.
    const [{ url }] = await dialled;
    assert.match(url, /&wsc=/);
    await say('lost');
    await pause(RECOVERY_TIMEOUT_S * 1_250);
    relay.mend();
    await made.recovery(Events.autoRecoverFailed);
    const { recoveryState, recoveryErrorCode } = made.socket.connectionDetails;
    assert.equal(`${recoveryState} ${recoveryErrorCode}`, 'Failed WSG-1001');
    assert.notEqual(subscription.subscriptionInfo.id, id);
    await say('anew');
    assert.deepEqual(await textsUntil(heard, 'anew'), ['anew']);
  });

  test('is told in a frame that its token for the gateway is not good', LIMIT, async () => {
    const { socket: stranger, frames } = makeSocket({ autoRecover: { enabled: false } });
    stranger.wsToken = { ...made.socket.wsToken, ws_access_token: 'no-token' };
    stranger.wsTokenExpiresAt = Number.MAX_SAFE_INTEGER;
    await assert.rejects(rc.installExtension(stranger), ({ constructor, wsgError }) => {
      assert.equal(constructor.name, 'ConnectionException');
      assert.match(wsgError.errorCode, /^OAU-\d+$/);
      return true;
    });
    const [{ type, status }] = await frames.next(() => true, 'the reason');
    assert.deepEqual([type, status], ['Error', 401]);
    if (stranger.ws.readyState !== stranger.ws.CLOSED) await once(stranger.ws, 'close');
  });
});
