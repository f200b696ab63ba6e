// A subscriber: echoes the validation token, then answers every event as it is told to.

import { once } from 'node:events';
import { createServer } from 'node:http';

export class Receiver {
  /** Listens, and subscribes to posts. `answer` is what events get, and may be replaced later. */
  static async subscribe(yard, answer) {
    const receiver = new Receiver();
    receiver.answer = answer;
    receiver.yard = yard;
    receiver.server = createServer(async (request, response) => {
      for await (const chunk of request) void chunk;
      const token = request.headers['validation-token'];
      if (token !== undefined) return response.writeHead(200, { 'Validation-Token': token }).end();
      const { status, headers = {}, body = '' } = receiver.answer;
      response.writeHead(status, headers).end(body);
    });
    receiver.server.listen(0, '127.0.0.1');
    await once(receiver.server, 'listening');
    receiver.peer = `127.0.0.1:${receiver.server.address().port}`;
    receiver.subscription = await yard.api('POST', '/restapi/v1.0/subscription', {
      eventFilters: ['/team-messaging/v1/posts'],
      deliveryMode: { transportType: 'WebHook', address: `http://${receiver.peer}/events` },
    });
    return receiver;
  }

  /** Ends the subscription and stops listening. */
  async leave() {
    await this.yard.api('DELETE', `/restapi/v1.0/subscription/${this.subscription.id}`);
    this.server.closeAllConnections();
    this.server.close();
  }
}
