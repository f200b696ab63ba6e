// RingCentral's TypeScript client and its WebSocket extension, as applications set them up.

import RingCentral from '@rc-ex/core';
import WebSocketExtension, { Events } from '@rc-ex/ws';
import Utils from '@rc-ex/ws/utils';

import { Arrivals } from './arrivals.js';

/** How often the extension looks whether its connection is alive; by default every 2 s. */
const CHECK_INTERVAL_MS = 25;

/** How long an application is busy with something else, at the worst moment. */
const BUSY_MS = 100;

/** Does not look at its sockets for a while, so that all that comes meanwhile is read at once. */
export function beBusy() {
  const end = Date.now() + BUSY_MS;
  while (Date.now() < end);
}

/** A client of the app that the server made at its first start; nobody is signed in. */
export function appClient({ credentials }) {
  return new RingCentral({
    server: credentials.RC_SERVER_URL,
    clientId: credentials.RC_APP_CLIENT_ID,
    clientSecret: credentials.RC_APP_CLIENT_SECRET,
  });
}

/** A client that is signed in with the JWT credential: one session. */
export async function signIn(yard) {
  const rc = appClient(yard);
  await rc.authorize({ jwt: yard.credentials.RC_USER_JWT });
  return rc;
}

/** An extension before it is installed, and what happens to it. */
export function makeSocket({ autoRecover, ...options } = {}) {
  const socket = new WebSocketExtension({
    autoRecover: { enabled: true, checkInterval: () => CHECK_INTERVAL_MS, ...autoRecover },
    ...options,
  });
  /** What the server has sent, as the extension reads it. */
  const frames = new Arrivals();
  /** What the extension tells of recoveries: `{ name, error }`. */
  const recoveries = new Arrivals();
  socket.eventEmitter.on(Events.newWebSocketObject, (ws) => {
    // Without a listener the death of a server would be the death of its clients.
    ws.on('error', () => {});
    // One for each call at work, and ours.
    ws.setMaxListeners(32);
    ws.on('message', (text) => frames.add(Utils.splitWsgData(text.toString())));
  });
  const { autoRecoverSuccess, autoRecoverFailed, autoRecoverError } = Events;
  for (const name of [autoRecoverSuccess, autoRecoverFailed, autoRecoverError]) {
    socket.eventEmitter.on(name, (error) => recoveries.add({ name, error }));
  }
  return {
    socket,
    frames,
    /** Waits until the extension tells of `name`; attempts that failed before do not count. */
    recovery: (name) => recoveries.next((told) => told.name === name, name),
    /** Breaks the connection without a word, and keeps the extension from coming back. */
    async cut() {
      socket.options.autoRecover.enabled = false;
      const closed = new Promise((resolve) => socket.ws.once('close', resolve));
      socket.ws.terminate();
      await closed;
    },
    /** Lets the extension come back. */
    mend() {
      socket.options.autoRecover.enabled = true;
    },
  };
}

/** An extension that `rc` uses, connected. */
export async function connect(rc, options) {
  const made = makeSocket(options);
  await rc.installExtension(made.socket);
  return made;
}
