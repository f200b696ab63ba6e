// A network between a client and the server that lags and can fail. The server's public address is
// the relay's, so that whatever the clients do on their own goes through it.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Transform } from 'node:stream';

/** Keeps what comes for a while, and passes it on in one piece. */
class Lag extends Transform {
  #chunks = [];
  #due;
  #lag_ms;

  constructor(lag_ms) {
    super();
    this.#lag_ms = lag_ms;
  }

  #pass = () => {
    this.push(Buffer.concat(this.#chunks.splice(0)));
    this.#due = undefined;
  };

  _transform(chunk, _encoding, done) {
    this.#chunks.push(chunk);
    this.#due ??= setTimeout(this.#pass, this.#lag_ms);
    done();
  }

  _flush(done) {
    clearTimeout(this.#due);
    if (this.#chunks.length > 0) this.#pass();
    done();
  }

  _destroy(error, done) {
    clearTimeout(this.#due);
    done(error);
  }
}

/**
 * Starts a relay that leads nowhere until it is told where to. What the server says within `lag_ms`
 * arrives in one piece, as on any busy network.
 */
export async function startRelay({ lag_ms = 0 } = {}) {
  /** Clients wait until the network works: one that is hung up on ends its program. */
  const waiting = new Set();
  const joined = new Map();
  let target;
  let failing = true;

  const join = (client) => {
    const server = connect({ ...target, noDelay: true });
    const lag = new Lag(lag_ms);
    joined.set(client, server);
    client.pipe(server).pipe(lag).pipe(client);
    const part = () => {
      joined.delete(client);
      client.destroy();
      lag.destroy();
      server.destroy();
    };
    for (const end of [client, server]) end.on('error', part).on('close', part);
  };
  const gate = createServer((client) => {
    if (!failing) {
      join(client);
      return;
    }
    waiting.add(client);
    client.on('error', () => {}).on('close', () => waiting.delete(client));
  });
  gate.listen(0, '127.0.0.1');
  await once(gate, 'listening');

  const mend = () => {
    failing = false;
    for (const client of waiting) join(client);
    waiting.clear();
  };
  return {
    url: `http://127.0.0.1:${gate.address().port}`,
    /** Leads to the server at this URL from now on. */
    leadTo(url) {
      const { hostname: host, port } = new URL(url);
      target = { host, port: Number(port) };
      mend();
    },
    /** Breaks every connection, without a word to either side, and lets no other through. */
    fail() {
      failing = true;
      for (const client of joined.keys()) client.destroy();
    },
    mend,
    stop() {
      for (const client of [...waiting, ...joined.keys()]) client.destroy();
      gate.close();
    },
  };
}
