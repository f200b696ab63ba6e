// A subscriber written the way RingCentral's documentation tells people to write one: echo the
// validation token, answer 200, look at the JSON.

import { once } from 'node:events';
import { createServer } from 'node:http';

const ARRIVAL_TIMEOUT_MS = 15_000;

/** Starts a receiver; it remembers what came and hands it out in order of arrival. */
export async function startReceiver() {
  const handshakes = [];
  const events = [];
  let arrived = () => {};

  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const token = request.headers['validation-token'];
    if (token !== undefined) {
      handshakes.push({ method: request.method, url: request.url, headers: request.headers, text });
      response.writeHead(200, { 'Content-Type': 'application/json', 'Validation-Token': token });
      response.end();
      return;
    }
    events.push({ method: request.method, headers: request.headers, json: JSON.parse(text) });
    response.writeHead(200);
    response.end();
    arrived();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const take = (wanted) => {
    const index = events.findIndex(({ json }) => wanted(json.body));
    return index < 0 ? undefined : events.splice(index, 1)[0];
  };
  return {
    address: `http://127.0.0.1:${server.address().port}/events?source=acceptance`,
    handshakes,
    /** Events that nobody has asked for yet. */
    remaining: () => events.map(({ json }) => json),
    /** Waits for the first event whose body is wanted, and takes it. */
    async next(wanted, name) {
      const deadline = AbortSignal.timeout(ARRIVAL_TIMEOUT_MS);
      for (;;) {
        const event = take(wanted);
        if (event) return event;
        await new Promise((resolve, reject) => {
          arrived = resolve;
          deadline.onabort = () => {
            const got = JSON.stringify(events.map(({ json }) => json));
            reject(new Error(`${name} did not arrive; got ${got}`));
          };
          if (deadline.aborted) deadline.onabort();
        });
      }
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
