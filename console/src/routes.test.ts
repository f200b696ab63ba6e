import { describe, expect, it } from 'vitest';
import { appTabs, endpointTabs, pages } from './paths';
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
    expect(view(pages.apps())).toEqual({ at: 'apps' });
    expect(view(pages.newApp())).toEqual({ at: 'new-app' });
    for (const tab of appTabs) expect(view(pages.app('a/1', tab))).toEqual({ at: 'app', app: 'a/1', tab });
    expect(view(pages.credentials({ personId: '7' }))).toEqual({ at: 'credentials' });
    expect(view(pages.newCredential())).toEqual({ at: 'new-credential' });
    expect(view(pages.status())).toEqual({ at: 'status' });
    for (const tab of endpointTabs) expect(view(pages.endpoint('e1', tab))).toEqual({ at: 'endpoint', endpoint: 'e1', tab, delivery: null });
    expect(view(pages.delivery('e1', '7', { status: 'abandoned' }))).toEqual({ at: 'endpoint', endpoint: 'e1', tab: 'deliveries', delivery: '7' });
  });

  it('has one address for each page under Settings', () => {
    for (const path of ['/settings/webhooks/e1/overview', '/settings/webhooks/e1/test/7', '/settings/other', '/settings/bins/b/x', '/settings/apps/a1/overview', '/settings/apps/a1/secrets/x', '/settings/credentials/c1', '/settings/audit', '/settings/status/x', '/settings/webhooks/%E0%A4%A']) {
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
