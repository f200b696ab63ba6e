// One chat's posts: pages, live changes and what is on its way to the server.

import type { Client } from '../../api/kernel/client';
import { type Problem, asProblem } from '../../api/kernel/problems';
import type { Post, PostEvent, PostsPage } from '../../api/messaging/wire';
import { calls } from '../../paths';
import { mergeNewest, mergeOlder, withPost, withoutPost } from './posts';

const PAGE_POSTS = 50;

/** A post that the server has not answered for yet. */
export interface PendingPost {
  key: number;
  text: string;
}

export class Timeline {
  readonly chat: string;
  readonly #client: Client;
  #posts = $state.raw<Post[]>([]);
  #pending = $state.raw<PendingPost[]>([]);
  #phase = $state<'loading' | 'ready' | 'failed'>('loading');
  #problem = $state.raw<Problem | null>(null);
  #olderToken = $state.raw<string | undefined>();
  #olderPhase = $state<'idle' | 'loading' | 'failed'>('idle');
  #keys = 0;

  constructor(client: Client, chat: string) {
    this.#client = client;
    this.chat = chat;
  }

  /** Oldest first. */
  get posts(): readonly Post[] {
    return this.#posts;
  }

  get pending(): readonly PendingPost[] {
    return this.#pending;
  }

  get phase(): 'loading' | 'ready' | 'failed' {
    return this.#phase;
  }

  get problem(): Problem | null {
    return this.#problem;
  }

  get hasOlder(): boolean {
    return this.#olderToken !== undefined;
  }

  get olderPhase(): 'idle' | 'loading' | 'failed' {
    return this.#olderPhase;
  }

  /** Reads the newest page, at first or again. What is shown stays while it is read again. */
  async load(): Promise<void> {
    try {
      const page = await this.#client.get<PostsPage>(calls.postsPage(this.chat, PAGE_POSTS));
      const { posts, connected } = mergeNewest(this.#posts, page);
      this.#posts = posts;
      if (!connected) this.#olderToken = page.navigation.prevPageToken;
      this.#phase = 'ready';
      this.#problem = null;
    } catch (error) {
      this.#problem = asProblem(error);
      if (this.#phase !== 'ready') this.#phase = 'failed';
    }
  }

  async retry(): Promise<void> {
    this.#phase = 'loading';
    await this.load();
  }

  /** Reads the page before the oldest post. */
  async loadOlder(): Promise<void> {
    const token = this.#olderToken;
    if (token === undefined || this.#olderPhase === 'loading') return;
    this.#olderPhase = 'loading';
    try {
      const page = await this.#client.get<PostsPage>(calls.postsPage(this.chat, PAGE_POSTS, token));
      // A reload may have begun a new list meanwhile; its token leads elsewhere.
      if (this.#olderToken === token) {
        this.#posts = mergeOlder(this.#posts, page);
        this.#olderToken = page.records.length === 0 ? undefined : page.navigation.prevPageToken;
      }
      this.#olderPhase = 'idle';
    } catch {
      this.#olderPhase = 'failed';
    }
  }

  /** Takes in what the push connection told. */
  apply(event: PostEvent): void {
    if (event.eventType === 'PostRemoved') this.#posts = withoutPost(this.#posts, event.id);
    else if (event.eventType === 'PostAdded' || this.#posts.some((post) => post.id === event.id)) {
      this.#posts = withPost(this.#posts, event);
    }
  }

  /** Sends a post. It is shown as pending at once; a failure is the caller's to show. */
  async send(text: string): Promise<void> {
    this.#keys += 1;
    const pending: PendingPost = { key: this.#keys, text };
    this.#pending = [...this.#pending, pending];
    try {
      const post = await this.#client.post<Post>(calls.posts(this.chat), { text });
      this.#posts = withPost(this.#posts, post);
    } catch (error) {
      throw asProblem(error);
    } finally {
      this.#pending = this.#pending.filter(({ key }) => key !== pending.key);
    }
  }
}
