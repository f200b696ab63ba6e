import { describe, expect, it } from 'vitest';
import { endpointTabs, pages } from './paths';
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

  it('reads every page under Settings', () => {
    const view = (path: string) => {
      const route = at(path);
      return route.page === 'settings' ? route.view : null;
    };
    expect(view(pages.settings())).toEqual({ at: 'menu' });
    expect(view(pages.webhooks({ status: 'Errored' }))).toEqual({ at: 'webhooks' });
    expect(view(pages.newEndpoint())).toEqual({ at: 'new-endpoint' });
    expect(view(pages.bins())).toEqual({ at: 'bins' });
    expect(view(pages.bin('b/1'))).toEqual({ at: 'bin', bin: 'b/1' });
    for (const tab of endpointTabs) expect(view(pages.endpoint('e1', tab))).toEqual({ at: 'endpoint', endpoint: 'e1', tab, delivery: null });
    expect(view(pages.delivery('e1', '7', { status: 'abandoned' }))).toEqual({ at: 'endpoint', endpoint: 'e1', tab: 'deliveries', delivery: '7' });
  });

  it('has one address for each page under Settings', () => {
    for (const path of ['/settings/webhooks/e1/overview', '/settings/webhooks/e1/test/7', '/settings/other', '/settings/bins/b/x', '/settings/webhooks/%E0%A4%A']) {
      expect(at(path)).toEqual({ page: 'missing' });
    }
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
