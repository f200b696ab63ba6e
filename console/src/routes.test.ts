import { describe, expect, it } from 'vitest';
import { pages } from './paths';
import { routeOf } from './routes';

const at = (path: string) => routeOf(new URL(path, 'http://yard.test'));

describe('routes', () => {
  it('reads every page that paths can build', () => {
    expect(at(pages.home())).toEqual({ page: 'home' });
    expect(at(pages.signIn())).toEqual({ page: 'sign-in' });
    expect(at(pages.chat('17'))).toEqual({ page: 'chat', chat: '17', pane: null });
    expect(at(pages.chatWebhooks('17'))).toEqual({ page: 'chat', chat: '17', pane: { kind: 'webhooks' } });
    expect(at(pages.chatDetails('17', '9'))).toEqual({ page: 'chat', chat: '17', pane: { kind: 'details', post: '9' } });
  });

  it('keeps an id with a slash in one segment', () => {
    expect(at(pages.chat('a/b?c'))).toEqual({ page: 'chat', chat: 'a/b?c', pane: null });
  });

  it('calls anything else missing', () => {
    expect(at('/nowhere')).toEqual({ page: 'missing' });
    expect(at('/chats/1/more')).toEqual({ page: 'missing' });
    expect(at('/chats/%E0%A4%A')).toEqual({ page: 'missing' });
  });
});
