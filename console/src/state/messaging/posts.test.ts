import { describe, expect, it } from 'vitest';
import type { Post, PostsPage } from '../../api/messaging/wire';
import { mergeNewest, mergeOlder, withPost, withoutPost } from './posts';

/** A post whose id and minute are `n`. */
function post(n: number, text = ''): Post {
  const time = new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString();
  return {
    id: String(n), groupId: '1', type: 'TextMessage', text, creatorId: '2', addedPersonIds: null,
    creationTime: time, lastModifiedTime: time, attachments: null, activity: null, title: null, iconUri: null, iconEmoji: null, mentions: null,
  };
}

const ids = (posts: Post[]): number[] => posts.map(({ id }) => Number(id));
const page = (numbers: number[], more = true): PostsPage => ({
  records: numbers.map((n) => post(n, 'fresh')),
  navigation: more ? { prevPageToken: 'x' } : {},
});

describe('a timeline', () => {
  it('takes posts in any order and each once', () => {
    let posts: Post[] = [];
    for (const n of [3, 10, 1, 3, 2]) posts = withPost(posts, post(n));
    expect(ids(posts)).toEqual([1, 2, 3, 10]);
    expect(withPost(posts, post(2, 'changed'))[1]?.text).toBe('changed');
    expect(ids(withoutPost(posts, '3'))).toEqual([1, 2, 10]);
  });

  it('orders posts of one millisecond by their ids as numbers', () => {
    const same = (id: string): Post => ({ ...post(1), id });
    expect(ids([same('10'), same('9')].reduce<Post[]>(withPost, []))).toEqual([9, 10]);
  });

  it('keeps older and newer posts around a page that is read again', () => {
    const merged = mergeNewest([1, 2, 3, 4, 6].map((n) => post(n)), page([5, 4, 3]));
    expect(merged).toMatchObject({ connected: true });
    expect(ids(merged.posts)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(merged.posts[2]?.text).toBe('fresh');
  });

  it('drops posts that were removed while nobody told us', () => {
    expect(ids(mergeNewest([1, 2, 3, 4].map((n) => post(n)), page([4, 2])).posts)).toEqual([1, 2, 4]);
  });

  it('forgets what is on the other side of a gap', () => {
    const merged = mergeNewest([1, 2].map((n) => post(n)), page([9, 8]));
    expect(merged.connected).toBe(false);
    expect(ids(merged.posts)).toEqual([8, 9]);
  });

  it('trusts a page that holds everything', () => {
    expect(ids(mergeNewest([1, 2, 3].map((n) => post(n)), page([3, 2], false)).posts)).toEqual([2, 3]);
    expect(mergeNewest([post(1)], page([], false)).posts).toEqual([]);
  });

  it('puts older pages before', () => {
    expect(ids(mergeOlder([5, 6].map((n) => post(n)), page([5, 4, 3])))).toEqual([3, 4, 5, 6]);
  });
});
