import { expect, it } from 'vitest';
import { subscribeCommand } from './subscribe-command';

it('sends JSON with the filter for posts to the endpoint', () => {
  const command = subscribeCommand("http://yard.test/it's");
  expect(command).toContain(String.raw`curl 'http://yard.test/it'\''s'`);
  const [, body = ''] = /--data '([^']+)'/.exec(command) ?? [];
  expect(JSON.parse(body)).toEqual({
    eventFilters: ['/team-messaging/v1/posts'],
    deliveryMode: { transportType: 'WebHook', address: 'https://example.com/events' },
  });
});
