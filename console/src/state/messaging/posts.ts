// Lists of posts, oldest first, and how new knowledge is merged into them. Pure.

import type { Post, PostsPage } from '../../api/messaging/wire';

/** Older first; the id decides between posts of the same millisecond. */
export function byAge(a: Post, b: Post): number {
  if (a.creationTime !== b.creationTime) return a.creationTime < b.creationTime ? -1 : 1;
  return a.id.length - b.id.length || (a.id < b.id ? -1 : a.id === b.id ? 0 : 1);
}

/** The list with `post` in its place; a post that is there already is replaced. */
export function withPost(posts: readonly Post[], post: Post): Post[] {
  const last = posts.at(-1);
  if (last === undefined || byAge(last, post) < 0) return [...posts, post];
  const others = posts.filter((other) => other.id !== post.id);
  const index = others.findIndex((other) => byAge(other, post) > 0);
  return index < 0 ? [...others, post] : others.toSpliced(index, 0, post);
}

export function withoutPost(posts: readonly Post[], id: string): Post[] {
  return posts.filter((post) => post.id !== id);
}

/** The newest page was read again: what it says holds for its range, what is older or newer stays. */
export function mergeNewest(posts: readonly Post[], page: PostsPage): { posts: Post[]; connected: boolean } {
  const fresh = page.records.toSorted(byAge);
  const [first] = fresh;
  const last = fresh.at(-1);
  if (first === undefined || last === undefined) return { posts: [], connected: false };
  const ids = new Set(fresh.map((post) => post.id));
  const newer = posts.filter((post) => byAge(post, last) > 0);
  const older = posts.filter((post) => byAge(post, first) < 0);
  const complete = page.navigation.prevPageToken === undefined;
  // Without a post in common there may be a gap, so what we had is forgotten and read again on demand.
  const connected = !complete && posts.some((post) => ids.has(post.id));
  return { posts: [...(connected ? older : []), ...fresh, ...newer], connected };
}

/** An older page was read: it goes before what we have. */
export function mergeOlder(posts: readonly Post[], page: PostsPage): Post[] {
  const ids = new Set(posts.map((post) => post.id));
  return [...page.records.filter((post) => !ids.has(post.id)).toSorted(byAge), ...posts];
}
