// Calls to the API. The access token lives in memory only, here and in the other tabs of the session:
// not in storage, not in the address.

import { calls } from '../../paths';
import { Problem, UNEXPECTED, asProblem, problemOf } from './problems';
import { type SharedToken, type TabMessage, type Tabs, alone } from './tabs';
import type { Session } from '../identity/wire';

/** The session is renewed this long before it ends, so that no call meets an expired token. */
const RENEW_BEFORE_MS = 60_000;
/** Tabs renew up to this much earlier, each by chance: the first spares the others the call. */
const RENEW_SPREAD_MS = 30_000;
/** A renewal that fails for lack of a network is tried again after this long. */
const RENEW_AGAIN_MS = 15_000;
/** A call whose token is refused is repeated this often: where tabs cannot take turns, another may renew right after. */
const REPEATS_MAX = 2;
/** Before the last repeat, by chance up to twice this: the others' new token is on its way. */
const REPEAT_PAUSE_MS = 100;
/** A call that was not answered by then will not be; a dead network must not look like a slow one. */
const CALL_MS_MAX = 30_000;

/** How to sign in: a one-time code, or a name and a password. */
export type Credentials = { code: string } | { username: string; password: string };

/** One call of the API, before it is made. */
export interface Ask {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  path: string;
  body?: unknown;
}

/** A signed-in browser's way to the server. One for the whole page. */
export class Client {
  #shared: SharedToken | null = null;
  #answered: (() => void) | null = null;
  #leaveTabs: (() => void) | null = null;
  readonly #tabs: Tabs;
  #renewing: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Breaks off the calls under way when the session ends: their answers could only be refusals. */
  #ending = new AbortController();
  /** Called when the server says that there is no session any more. */
  onSignedOut: () => void = () => undefined;

  constructor(tabs: Tabs = alone) {
    this.#tabs = tabs;
    tabs.listen((message) => this.#heard(message));
  }

  get signedIn(): boolean {
    return this.#shared !== null;
  }

  async signIn(credentials: Credentials): Promise<void> {
    this.#keep(await this.#console<Session>('POST', calls.session(), credentials));
  }

  /** Gets a token for the session that the browser's cookie stands for. Concurrent callers share one call. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renewed()
      .catch((error: unknown) => {
        if (asProblem(error).status === 401) this.#forget();
        throw error;
      })
      .finally(() => {
        this.#renewing = null;
      });
    return this.#renewing;
  }

  async signOut(): Promise<void> {
    this.#ending.abort();
    try {
      await this.#console('DELETE', calls.session());
    } finally {
      this.#ending = new AbortController();
    }
    this.#tabs.tell({ kind: 'ended' });
    this.#forget();
  }

  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.#call<T>('GET', path, undefined, signal);
  }

  post<T>(path: string, body?: unknown): Promise<T> {
    return this.#call<T>('POST', path, body);
  }

  /** Any call, as a value: the same that is shown as a command. */
  ask<T>({ method, path, body }: Ask, signal?: AbortSignal): Promise<T> {
    return this.#call<T>(method, path, body, signal);
  }

  delete(path: string): Promise<void> {
    return this.#call<void>('DELETE', path);
  }

  /** Opens a stream with the token of the moment; the answer is returned once its head is in. */
  async open(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    return this.#authorized(path, { headers, signal, cache: 'no-store' });
  }

  async #call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const timeout = AbortSignal.timeout(CALL_MS_MAX);
    const init: RequestInit = { method, signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { 'Content-Type': 'application/json' };
    }
    return contentOf<T>(await this.#authorized(path, init));
  }

  /** With the token; a refused one is renewed. Resolves to answers that are ok only. */
  async #authorized(path: string, init: RequestInit): Promise<Response> {
    if (this.#shared === null) await this.renew();
    let used = this.#shared;
    let response = await this.#fetch(path, init);
    for (let repeat = 1; response.status === 401 && repeat <= REPEATS_MAX; repeat += 1) {
      if (repeat > 1) await new Promise((resolve) => setTimeout(resolve, REPEAT_PAUSE_MS * (1 + Math.random())));
      // Another tab may have renewed it meanwhile; then its token is here already.
      if (this.#shared === used) await this.renew();
      used = this.#shared;
      response = await this.#fetch(path, init);
    }
    if (!response.ok) throw await problemFrom(response);
    return response;
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('Authorization', `Bearer ${this.#shared?.token ?? ''}`);
    headers.set('Accept', headers.get('Accept') ?? 'application/json');
    // The API never takes cookies, and must never see the session's.
    const signals = [this.#ending.signal, ...(init.signal ? [init.signal] : [])];
    return fetch(path, { ...init, headers, credentials: 'omit', signal: AbortSignal.any(signals) });
  }

  async #console<T>(method: string, path: string, body?: unknown): Promise<T> {
    const init: RequestInit = {
      method,
      credentials: 'same-origin',
      headers: { 'Content-Type': 'application/json' },
      signal: AbortSignal.timeout(CALL_MS_MAX),
    };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await fetch(path, init);
    if (!response.ok) throw await problemFrom(response);
    return contentOf<T>(response);
  }

  #renewed(): Promise<void> {
    const before = this.#shared;
    return this.#tabs.inTurn(async () => {
      // Another tab may have done it while this one waited for its turn.
      if (this.#shared !== before) return;
      if (before === null && (await this.#askedTabs())) return;
      this.#keep(await this.#console<Session>('POST', calls.renewSession(), {}));
    });
  }

  /** Whether another tab handed its token over. */
  async #askedTabs(): Promise<boolean> {
    const patienceMs = await this.#tabs.patienceMs();
    if (patienceMs === 0) return false;
    await new Promise<void>((resolve) => {
      this.#answered = resolve;
      setTimeout(resolve, patienceMs);
      this.#tabs.tell({ kind: 'ask' });
    });
    this.#answered = null;
    return this.#shared !== null;
  }

  #heard(message: TabMessage): void {
    switch (message.kind) {
      case 'ask':
        if (this.#shared !== null) this.#tabs.tell({ kind: 'token', ...this.#shared });
        return;
      case 'ended':
        if (this.#shared !== null) this.#forget();
        return;
      case 'token': {
        const { token, endsAt, person } = message;
        if (this.#shared !== null && this.#shared.person !== person) return this.#forget();
        if (this.#shared === null && this.#answered === null) return;
        this.#take({ token, endsAt, person });
        this.#answered?.();
      }
    }
  }

  #keep(session: Session): void {
    const endsAt = Date.now() + session.expires_in * 1_000;
    const shared = { token: session.access_token, endsAt, person: session.person.id };
    this.#take(shared);
    this.#tabs.tell({ kind: 'token', ...shared });
  }

  #take(shared: SharedToken): void {
    this.#shared = shared;
    this.#leaveTabs ??= this.#tabs.join();
    const early = RENEW_BEFORE_MS + Math.random() * RENEW_SPREAD_MS;
    this.#renewAfter(Math.max(shared.endsAt - Date.now() - early, RENEW_AGAIN_MS));
  }

  #renewAfter(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.renew().catch(() => {
        if (this.#shared !== null) this.#renewAfter(RENEW_AGAIN_MS);
      });
    }, delayMs);
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#ending.abort();
    this.#ending = new AbortController();
    this.#shared = null;
    this.#leaveTabs?.();
    this.#leaveTabs = null;
    this.onSignedOut();
  }
}

async function problemFrom(response: Response): Promise<Problem> {
  return problemOf(response.status, await response.json().catch(() => null));
}

/** The JSON of an answer; `undefined` when it is empty, as with 204. */
async function contentOf<T>(response: Response): Promise<T> {
  const text = await response.text();
  try {
    return JSON.parse(text === '' ? 'null' : text);
  } catch {
    throw new Problem(UNEXPECTED, 'The server answered with something that is not JSON', response.status);
  }
}
