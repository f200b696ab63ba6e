// Every page the console has, as a value. Pure: the browser's history is in `state/navigation`.

import { type EndpointTab, endpointTabs } from './paths';

/** What is open beside a chat's timeline. */
export type Pane = { kind: 'webhooks' } | { kind: 'details'; post: string };

/** A page under Settings. What narrows it is in the address's search, which the page reads. */
export type SettingsView =
  | { at: 'menu' }
  | { at: 'webhooks' }
  | { at: 'new-endpoint' }
  | { at: 'endpoint'; endpoint: string; tab: EndpointTab; delivery: string | null }
  | { at: 'bins' }
  | { at: 'bin'; bin: string };

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

function settingsOf(segments: string[]): SettingsView | null {
  const [section, id, tab, item, ...rest] = segments;
  if (rest.length > 0) return null;
  if (section === undefined) return { at: 'menu' };
  if (section === 'bins' && tab === undefined) return id === undefined ? { at: 'bins' } : { at: 'bin', bin: id };
  if (section !== 'webhooks') return null;
  if (id === undefined) return { at: 'webhooks' };
  if (id === 'new' && tab === undefined) return { at: 'new-endpoint' };
  const known = tab === undefined ? 'overview' : endpointTabs.find((name) => name === tab && name !== 'overview');
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
