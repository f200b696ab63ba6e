// The list of chats: newest activity first, with names and what is new in each.

import { SvelteMap } from 'svelte/reactivity';
import type { Client } from '../../api/kernel/client';
import { type Problem, asProblem } from '../../api/kernel/problems';
import type { Chat, Post } from '../../api/messaging/wire';
import { calls } from '../../paths';
import type { People } from '../identity/people.svelte';

/** Several changes in a row are one reload. */
const RELOAD_AFTER_MS = 150;

export class Chats {
  readonly #client: Client;
  readonly #people: People;
  readonly #me: string;
  #list = $state.raw<Chat[]>([]);
  #phase = $state<'loading' | 'ready' | 'failed'>('loading');
  #problem = $state.raw<Problem | null>(null);
  readonly #unread = new SvelteMap<string, number>();
  #reload: ReturnType<typeof setTimeout> | undefined;

  /** New posts in all chats together. */
  readonly unreadTotal = $derived([...this.#unread.values()].reduce((sum, count) => sum + count, 0));

  constructor(client: Client, people: People, me: string) {
    this.#client = client;
    this.#people = people;
    this.#me = me;
  }

  get list(): readonly Chat[] {
    return this.#list;
  }

  get phase(): 'loading' | 'ready' | 'failed' {
    return this.#phase;
  }

  get problem(): Problem | null {
    return this.#problem;
  }

  find(id: string): Chat | undefined {
    return this.#list.find((chat) => chat.id === id);
  }

  unreadIn(chat: string): number {
    return this.#unread.get(chat) ?? 0;
  }

  /** A team's own name, or the names of those one talks to. */
  nameOf(chat: Chat): string {
    if (chat.name !== undefined && chat.name !== null && chat.name !== '') return chat.name;
    if (chat.type === 'Everyone') return 'Everyone';
    if (chat.type === 'Personal') return 'Notes to self';
    const others = this.othersIn(chat);
    if (others.length === 0) return chat.type === 'Direct' ? 'Direct chat' : chat.type;
    return others.map((id) => this.#people.get(id)?.name ?? '…').join(', ');
  }

  /** Members without oneself. */
  othersIn(chat: Chat): string[] {
    return (chat.members ?? []).map((member) => member.id).filter((id) => id !== this.#me);
  }

  async load(): Promise<void> {
    try {
      const { records } = await this.#client.get<{ records: Chat[] }>(calls.recentChats());
      this.#list = sorted(records);
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

  /** Something about the chats changed: reads them again soon. */
  changed(): void {
    clearTimeout(this.#reload);
    this.#reload = setTimeout(() => void this.load(), RELOAD_AFTER_MS);
  }

  /** A post came. `seen` says that the reader is looking at its chat. */
  posted(post: Post, seen: boolean): void {
    if (!seen && post.creatorId !== this.#me) this.#unread.set(post.groupId, this.unreadIn(post.groupId) + 1);
    if (this.find(post.groupId) === undefined) return this.changed();
    this.#list = sorted(this.#list.map((chat) => (chat.id === post.groupId ? { ...chat, lastModifiedTime: post.creationTime } : chat)));
  }

  seen(chat: string): void {
    this.#unread.delete(chat);
  }

  /** A chat that the list does not hold, such as a public team or one past the list's end. */
  async read(id: string): Promise<void> {
    const chat = await this.#client.get<Chat>(calls.chat(id));
    if (this.find(id) === undefined) this.#list = sorted([...this.#list, chat]);
  }
}

function sorted(chats: readonly Chat[]): Chat[] {
  return chats.toSorted((a, b) => (a.lastModifiedTime < b.lastModifiedTime ? 1 : a.lastModifiedTime > b.lastModifiedTime ? -1 : 0));
}
