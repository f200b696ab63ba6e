// A customer's endpoint: keeps what it is sent, and answers as it is told to.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { after } from 'node:test';

const started = [];
after(() => {
  for (const server of started) server.stop();
});

export class EndpointServer {
  /** Listens on a port of its own until the file's last journey. `answer` is what requests get, and may be replaced later. */
  static async start(answer = { status: 200 }) {
    const endpoint = new EndpointServer();
    endpoint.answer = answer;
    /** What came, oldest first; handshakes are not events. */
    endpoint.requests = [];
    endpoint.echoes = true;
    endpoint.server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const token = request.headers['validation-token'];
      if (token !== undefined) return response.writeHead(200, endpoint.echoes ? { 'Validation-Token': token } : {}).end();
      endpoint.requests.push({ method: request.method, headers: request.headers, body });
      const { status, headers = {}, body: text = '' } = endpoint.answer;
      response.writeHead(status, headers).end(text);
    });
    endpoint.server.listen(0, '127.0.0.1');
    await once(endpoint.server, 'listening');
    started.push(endpoint);
    endpoint.url = `http://127.0.0.1:${endpoint.server.address().port}/events`;
    return endpoint;
  }

  /** Types of the events that were accepted, in the order of arrival. */
  get types() {
    return this.requests.map(({ body }) => JSON.parse(body).type);
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** Registers what a billing product would publish. */
export async function registerInvoices(yard) {
  for (const [name, description] of [
    ['invoice.created', 'An invoice was drafted'],
    ['invoice.sent', 'An invoice went to the customer'],
    ['invoice.opened', 'The customer opened it'],
    ['invoice.paid', 'An invoice was paid in full'],
    ['payment.declined', 'A payment did not go through'],
    ['payment.succeeded', 'Money has arrived'],
  ]) {
    const known = await yard.api('GET', `/api/v1/event-types/${name}`).catch(() => null);
    if (known === null) await yard.api('POST', '/api/v1/event-types', { name, description, example: { invoiceId: 'inv_7', amount: 1284 } });
  }
}

export function publish(yard, type, data) {
  return yard.api('POST', '/api/v1/events', { type, data });
}

/** So many attempts in quick succession, then none: what fails is given up at once. */
export const attempts = (attemptsMax) => ({ retryPolicy: { schedule: { kind: 'list', delaysMs: [100] }, attemptsMax, ageMaxMs: 86_400_000 } });
