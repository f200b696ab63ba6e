// A subscriber written the way RingCentral's documentation tells people to write one: echo the
// validation token, answer 200, look at the JSON.

import { once } from 'node:events';
import { createServer } from 'node:http';

import { Arrivals } from './arrivals.js';

/** Starts a receiver; it remembers what came and hands it out in order of arrival. */
export async function startReceiver() {
  const handshakes = [];
  const events = new Arrivals();

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
    response.writeHead(200);
    response.end();
    events.add({ method: request.method, headers: request.headers, json: JSON.parse(text) });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    address: `http://127.0.0.1:${server.address().port}/events?source=acceptance`,
    handshakes,
    /** Events that nobody has asked for yet. */
    remaining: () => events.remaining().map(({ json }) => json),
    /** Waits for the first event whose body is wanted, and takes it. */
    next: (wanted, name, timeout) => events.next(({ json }) => wanted(json.body), name, timeout),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
