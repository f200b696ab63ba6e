// Every page the console has, as a value. Pure: the browser's history is in `state/navigation`.

import { type AppTab, type EndpointTab, appTabs, endpointTabs } from './paths';

/** What is open beside a chat's timeline. */
export type Pane = { kind: 'webhooks' } | { kind: 'details'; post: string };

/** A page under Settings. What narrows it is in the address's search, which the page reads. */
export type SettingsView =
  | { at: 'menu' }
  | { at: 'webhooks' }
  | { at: 'new-endpoint' }
  | { at: 'endpoint'; endpoint: string; tab: EndpointTab; delivery: string | null }
  | { at: 'bins' }
  | { at: 'bin'; bin: string }
  | { at: 'apps' }
  | { at: 'new-app' }
  | { at: 'app'; app: string; tab: AppTab }
  | { at: 'credentials' }
  | { at: 'new-credential' }
  | { at: 'status' };

export type Route =
  | { page: 'home' }
  | { page: 'sign-in' }
  | { page: 'chat'; chat: string; pane: Pane | null }
  | { page: 'settings'; view: SettingsView }
  | { page: 'missing' };

function paneOf(search: URLSearchParams): Pane | null {
  const pane = search.get('pane');
  if (pane === 'webhooks') return { kind: 'webhooks' };
  const post = search.get('post');
  if (pane === 'details' && post !== null) return { kind: 'details', post };
  return null;
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/** Which of `tabs` a segment names; none names the first, which has no segment of its own. */
function tabOf<T extends string>(tabs: readonly T[], segment: string | undefined): T | undefined {
  return segment === undefined ? tabs[0] : tabs.find((name, index) => name === segment && index > 0);
}

function settingsOf(segments: string[]): SettingsView | null {
  const [section, id, tab, item, ...rest] = segments;
  if (rest.length > 0) return null;
  switch (section) {
    case undefined:
      return { at: 'menu' };
    case 'webhooks':
      return webhooksOf(id, tab, item);
    case 'apps':
      return item === undefined ? appsOf(id, tab) : null;
  }
  if (tab !== undefined) return null;
  if (section === 'bins') return id === undefined ? { at: 'bins' } : { at: 'bin', bin: id };
  if (section === 'credentials' && id === 'new') return { at: 'new-credential' };
  if (id !== undefined) return null;
  return section === 'credentials' || section === 'status' ? { at: section } : null;
}

function appsOf(id: string | undefined, tab: string | undefined): SettingsView | null {
  if (id === undefined) return { at: 'apps' };
  if (id === 'new' && tab === undefined) return { at: 'new-app' };
  const known = tabOf(appTabs, tab);
  return known === undefined ? null : { at: 'app', app: id, tab: known };
}

function webhooksOf(id: string | undefined, tab: string | undefined, item: string | undefined): SettingsView | null {
  if (id === undefined) return { at: 'webhooks' };
  if (id === 'new' && tab === undefined) return { at: 'new-endpoint' };
  const known = tabOf(endpointTabs, tab);
  if (known === undefined || (item !== undefined && known !== 'deliveries')) return null;
  return { at: 'endpoint', endpoint: id, tab: known, delivery: item ?? null };
}

/** The page an address stands for. */
export function routeOf(url: URL): Route {
  const segments = url.pathname.split('/').filter((segment) => segment !== '');
  const [first, second, ...rest] = segments;
  if (first === undefined) return { page: 'home' };
  if (first === 'sign-in' && second === undefined) return { page: 'sign-in' };
  if (first === 'chats' && second === undefined) return { page: 'home' };
  if (first === 'chats' && second !== undefined && rest.length === 0) {
    const chat = decoded(second);
    if (chat !== null) return { page: 'chat', chat, pane: paneOf(url.searchParams) };
  }
  if (first === 'settings') {
    const names = segments.slice(1).map(decoded);
    const whole = names.filter((name) => name !== null);
    const view = whole.length === names.length ? settingsOf(whole) : null;
    if (view !== null) return { page: 'settings', view };
  }
  return { page: 'missing' };
}
