// Every page the console has, as a value. Pure: the browser's history is in `state/navigation`.

/** What is open beside a chat's timeline. */
export type Pane = { kind: 'webhooks' } | { kind: 'details'; post: string };

export type Route =
  | { page: 'home' }
  | { page: 'sign-in' }
  | { page: 'chat'; chat: string; pane: Pane | null }
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
  return { page: 'missing' };
}
