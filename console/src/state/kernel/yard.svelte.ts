// Everything a signed-in page shares: the person, the chats, the timelines and the push connection.

import { createContext } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import type { Client } from '../../api/kernel/client';
import { Live, type LiveState } from '../../api/events/live';
import { AppsApi } from '../../api/identity/apps';
import { CredentialsApi } from '../../api/identity/credentials';
import { BinsApi } from '../../api/inbound/bins';
import { DeliveriesApi } from '../../api/delivery/deliveries';
import { EndpointsApi } from '../../api/endpoints/endpoints';
import { EventsApi } from '../../api/events/events';
import type { Me } from '../../api/identity/wire';
import type { ChatEvent, PostEvent } from '../../api/messaging/wire';
import { plainText } from '../../util/markdown';
import { Announcer } from './announcer.svelte';
import { Chats } from '../messaging/chats.svelte';
import { People } from '../identity/people.svelte';
import { Timeline } from '../messaging/timeline.svelte';

/** A connection that is back this soon was never worth a word. */
const PATIENCE_MS = 1_500;
/** What is read before the connection is open must be read again, so the first reading waits this long for it. */
const OPEN_FIRST_MS = 400;
/** Characters of a post that are read aloud. */
const ANNOUNCED_CHARS_MAX = 160;

export class Yard {
  readonly client: Client;
  readonly me: Me;
  readonly people: People;
  readonly chats: Chats;
  readonly apps: AppsApi;
  readonly bins: BinsApi;
  readonly credentials: CredentialsApi;
  readonly deliveries: DeliveriesApi;
  readonly endpoints: EndpointsApi;
  readonly events: EventsApi;
  readonly announcer = new Announcer();
  /** What a page under Settings is called. */
  pageTitle = $state('Settings');
  /** Said by the page that comes next: what was done on the one before. */
  news = $state<string | null>(null);
  readonly #timelines = new Map<string, Timeline>();
  readonly #live: Live;
  /** Grows with each event about incoming webhooks, so that lists of them know when to look again. */
  webhooksVersion = $state(0);
  #liveState = $state<LiveState>('connecting');
  #disconnected = $state(false);
  #unconnected: ReturnType<typeof setTimeout> | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #open: string | null = null;
  readonly #arrivals = new SvelteMap<string, number>();

  constructor(client: Client, me: Me) {
    this.client = client;
    this.me = me;
    this.people = new People(client);
    this.apps = new AppsApi(client);
    this.bins = new BinsApi(client);
    this.credentials = new CredentialsApi(client);
    this.deliveries = new DeliveriesApi(client);
    this.endpoints = new EndpointsApi(client);
    this.events = new EventsApi(client);
    this.chats = new Chats(client, this.people, me.person.id);
    this.#live = new Live(client, {
      opened: (continued) => {
        clearTimeout(this.#unconnected);
        if (!continued) this.#refresh();
      },
      event: (name, data) => this.#event(name, data),
      state: (state) => this.#connection(state),
    });
  }

  /** Connects and reads the chats. Returns how to stop. */
  start(): () => void {
    this.#unconnected = setTimeout(() => void this.chats.load(), OPEN_FIRST_MS);
    void this.#live.run();
    const online = (): void => this.#live.retryNow();
    const visible = (): void => {
      if (document.visibilityState !== 'visible') return;
      this.#live.retryNow();
      if (this.#open !== null) this.chats.seen(this.#open);
    };
    addEventListener('online', online);
    document.addEventListener('visibilitychange', visible);
    return () => {
      removeEventListener('online', online);
      document.removeEventListener('visibilitychange', visible);
      clearTimeout(this.#patience);
      clearTimeout(this.#unconnected);
      this.#live.close();
    };
  }

  /** The push connection is gone for long enough to say so. */
  get disconnected(): boolean {
    return this.#disconnected;
  }

  get liveState(): LiveState {
    return this.#liveState;
  }

  /** Posts that came into a chat by push since the page was opened. */
  arrivalsIn(chat: string): number {
    return this.#arrivals.get(chat) ?? 0;
  }

  /** The chat's posts; the first call begins to read them. */
  timeline(chat: string): Timeline {
    const known = this.#timelines.get(chat);
    if (known !== undefined) return known;
    const timeline = new Timeline(this.client, chat);
    this.#timelines.set(chat, timeline);
    void timeline.load();
    return timeline;
  }

  /** The reader looks at `chat` now, or at none. */
  look(chat: string | null): void {
    this.#open = chat;
    if (chat !== null && document.visibilityState === 'visible') this.chats.seen(chat);
  }

  retryConnection(): void {
    this.#live.retryNow();
  }

  #connection(state: LiveState): void {
    this.#liveState = state;
    if (state === 'open') {
      clearTimeout(this.#patience);
      this.#patience = undefined;
      this.#disconnected = false;
    } else {
      this.#patience ??= setTimeout(() => {
        this.#disconnected = true;
      }, PATIENCE_MS);
    }
  }

  /** Events may have been missed: reads again what is shown, and forgets the rest. */
  #refresh(): void {
    void this.chats.load();
    this.webhooksVersion += 1;
    for (const [chat, timeline] of this.#timelines) {
      if (chat === this.#open) void timeline.load();
      else this.#timelines.delete(chat);
    }
  }

  #event(name: string, data: unknown): void {
    if (name === 'reset') return this.#refresh();
    if (name === 'post' && isPostEvent(data)) return this.#post(data);
    if (name === 'chat' && isChatEvent(data)) return this.chats.changed();
    if (name === 'webhook') this.webhooksVersion += 1;
  }

  #post(event: PostEvent): void {
    this.#timelines.get(event.groupId)?.apply(event);
    if (event.eventType !== 'PostAdded') return;
    const looking = event.groupId === this.#open && document.visibilityState === 'visible';
    this.chats.posted(event, looking);
    if (event.creatorId === this.me.person.id) return;
    this.#arrivals.set(event.groupId, this.arrivalsIn(event.groupId) + 1);
    if (!looking) return;
    const author = event.activity ?? this.people.get(event.creatorId)?.name ?? 'New post';
    const said = plainText(event.title ?? event.text ?? '') || 'a card';
    this.announcer.say(`${author}: ${said.slice(0, ANNOUNCED_CHARS_MAX)}`);
  }
}

function hasText(value: object, key: string): boolean {
  return typeof Reflect.get(value, key) === 'string';
}

function isPostEvent(value: unknown): value is PostEvent {
  return typeof value === 'object' && value !== null && hasText(value, 'id') && hasText(value, 'groupId') && hasText(value, 'eventType');
}

function isChatEvent(value: unknown): value is ChatEvent {
  return typeof value === 'object' && value !== null && hasText(value, 'id') && hasText(value, 'eventType');
}

/** The yard of the page a component is on. */
export const [getYard, setYard] = createContext<Yard>();
