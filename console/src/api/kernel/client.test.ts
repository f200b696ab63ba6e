import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Client } from './client';
import { Problem } from './problems';
import type { TabMessage, Tabs } from './tabs';

interface Asked {
  method: string;
  path: string;
  token: string | null;
  credentials: string | undefined;
  body: unknown;
}

/** A server that renews sessions and refuses every token but the newest. */
class FakeServer {
  asked: Asked[] = [];
  generation = 0;
  hasSession = true;
  person = '1';

  fetch = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    this.asked.push({
      method: init.method ?? 'GET',
      path,
      token: headers.get('Authorization'),
      credentials: init.credentials,
      body: init.body,
    });
    await Promise.resolve();
    if (path.startsWith('/console/')) {
      if (!this.hasSession) return Response.json({ errorCode: 'CMN-405', message: 'Login' }, { status: 401 });
      this.generation += 1;
      return Response.json({ access_token: `t${this.generation}`, expires_in: 3600, person: { id: this.person } });
    }
    if (headers.get('Authorization') !== `Bearer t${this.generation}`) {
      return Response.json({ errorCode: 'OAU-213', message: 'Token not found' }, { status: 401 });
    }
    return Response.json({ path });
  };

  count(path: string): number {
    return this.asked.filter((asked) => asked.path === path).length;
  }
}

let server: FakeServer;
let client: Client;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  vi.stubGlobal('fetch', server.fetch);
  client = new Client();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the client', () => {
  it('gets a token before its first call, and never sends the cookie to the API', async () => {
    await expect(client.get('/api/v1/me')).resolves.toEqual({ path: '/api/v1/me' });
    expect(server.asked.map(({ method, path, credentials }) => `${method} ${path} ${credentials}`)).toEqual([
      'POST /console/session/renew same-origin',
      'GET /api/v1/me omit',
    ]);
  });

  it('renews once when several calls are refused, and repeats each of them', async () => {
    await client.renew();
    server.generation += 1;
    await Promise.all(['/a', '/b', '/c'].map((path) => client.get(path)));
    expect(server.count('/console/session/renew')).toBe(2);
    expect(server.count('/a')).toBe(2);
  });

  it('says so when the session has ended', async () => {
    const ended = vi.fn();
    client.onSignedOut = ended;
    server.hasSession = false;
    await expect(client.get('/a')).rejects.toMatchObject({ status: 401, code: 'CMN-405' });
    expect(ended).toHaveBeenCalledOnce();
    expect(client.signedIn).toBe(false);
    expect(server.count('/a')).toBe(0);
  });

  it('keeps the session when only the network is gone', async () => {
    await client.renew();
    const ended = vi.fn();
    client.onSignedOut = ended;
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(client.renew()).rejects.toBeInstanceOf(TypeError);
    expect(ended).not.toHaveBeenCalled();
    expect(client.signedIn).toBe(true);
  });

  it('renews before the token ends', async () => {
    await client.renew();
    await vi.advanceTimersByTimeAsync(3_509_000);
    expect(server.count('/console/session/renew')).toBe(1);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(server.count('/console/session/renew')).toBe(2);
  });

  it('makes a problem of an error, and of an answer that is not JSON', async () => {
    await client.renew();
    vi.stubGlobal('fetch', async () => Response.json({ errors: [{ errorCode: 'CMN-102', message: 'Gone' }] }, { status: 404 }));
    await expect(client.get('/a')).rejects.toMatchObject({ code: 'CMN-102', status: 404 });
    vi.stubGlobal('fetch', async () => new Response('<html>', { status: 200 }));
    await expect(client.get('/a')).rejects.toBeInstanceOf(Problem);
    vi.stubGlobal('fetch', async () => new Response(null, { status: 204 }));
    await expect(client.delete('/a')).resolves.toBeNull();
  });

  it('signs in with a code or a password, in the body', async () => {
    await client.signIn({ code: 'c' });
    await client.signIn({ username: 'u', password: 'p' });
    expect(server.asked.map(({ body }) => body)).toEqual(['{"code":"c"}', '{"username":"u","password":"p"}']);
    expect(client.signedIn).toBe(true);
  });

  it('breaks off the calls under way before it signs out', async () => {
    await client.renew();
    const broken: string[] = [];
    vi.stubGlobal('fetch', (path: string, init: RequestInit = {}) => {
      if (path.startsWith('/console/')) return server.fetch(path, init);
      return new Promise((_, reject) => {
        init.signal?.addEventListener('abort', () => {
          broken.push(path);
          reject(new DOMException('', 'AbortError'));
        });
      });
    });
    const call = client.get('/slow').catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(0);
    await client.signOut();
    expect(await call).toBeInstanceOf(Error);
    expect(broken).toEqual(['/slow']);
    expect(client.signedIn).toBe(false);
    vi.stubGlobal('fetch', server.fetch);
    await client.signIn({ code: 'c' });
    await expect(client.get('/a')).resolves.toEqual({ path: '/a' });
  });
});

/** Tabs that hear each other at once. */
class Browser {
  readonly #listeners: { owner: symbol; heard: (message: TabMessage) => void }[] = [];
  #turn: Promise<void> = Promise.resolve();
  #joined = 0;

  tab(): Client {
    const owner = Symbol();
    const tabs: Tabs = {
      tell: (message) => {
        for (const listener of this.#listeners) if (listener.owner !== owner) listener.heard(message);
      },
      listen: (heard) => void this.#listeners.push({ owner, heard }),
      inTurn: (work) => {
        const done = this.#turn.then(work);
        this.#turn = done.catch(() => undefined);
        return done;
      },
      patienceMs: () => Promise.resolve(this.#joined > 0 ? 500 : 0),
      join: () => {
        this.#joined += 1;
        return () => void (this.#joined -= 1);
      },
    };
    return new Client(tabs);
  }
}

describe('tabs that cannot take turns', () => {
  it('survive that another renews right after', async () => {
    await client.renew();
    server.generation += 1;
    const answered = server.fetch;
    // The other tab renews between this one's renewal and its call, once.
    let raced = false;
    vi.stubGlobal('fetch', async (path: string, init?: RequestInit) => {
      const answer = await answered(path, init);
      if (path.startsWith('/console/') && !raced) {
        raced = true;
        server.generation += 1;
      }
      return answer;
    });
    const got = client.get('/a');
    await vi.advanceTimersByTimeAsync(200);
    await expect(got).resolves.toEqual({ path: '/a' });
    expect(raced).toBe(true);
    expect(server.count('/a')).toBe(3);
  });

  it('do not ask for ever when every token is refused', async () => {
    await client.renew();
    const answered = server.fetch;
    vi.stubGlobal('fetch', async (path: string, init?: RequestInit) => {
      server.generation += path === '/a' ? 1 : 0;
      return answered(path, init);
    });
    const got = expect(client.get('/a')).rejects.toMatchObject({ status: 401, code: 'OAU-213' });
    await vi.advanceTimersByTimeAsync(1_000);
    await got;
    expect(server.count('/a')).toBe(3);
  });
});

describe('tabs of one browser', () => {
  let browser: Browser;
  let first: Client;
  let second: Client;

  beforeEach(async () => {
    browser = new Browser();
    first = browser.tab();
    second = browser.tab();
    await first.signIn({ code: 'c' });
    server.asked = [];
  });

  it('share one token: who comes new does not renew it under the others', async () => {
    await second.get('/a');
    await first.get('/b');
    expect(server.asked.map(({ path, token }) => `${path} ${token}`)).toEqual(['/a Bearer t1', '/b Bearer t1']);
  });

  it('are told when one of them renews', async () => {
    await second.get('/a');
    await second.renew();
    await first.get('/b');
    expect(server.count('/b')).toBe(1);
    expect(server.asked.at(-1)?.token).toBe('Bearer t2');
  });

  it('end together', async () => {
    await second.get('/a');
    const ended = vi.fn();
    first.onSignedOut = ended;
    await second.signOut();
    expect(ended).toHaveBeenCalledOnce();
    expect(first.signedIn).toBe(false);
  });

  it('do not go on as somebody else', async () => {
    server.person = '2';
    await second.signIn({ username: 'u', password: 'p' });
    expect(first.signedIn).toBe(false);
  });

  it('that open together renew once', async () => {
    const fresh = new Browser();
    const tabs = [fresh.tab(), fresh.tab(), fresh.tab()];
    await Promise.all(tabs.map((tab) => tab.get('/a')));
    expect(server.count('/console/session/renew')).toBe(1);
    expect(server.count('/a')).toBe(3);
  });

  it('renew once when the token ends for all of them', async () => {
    await second.get('/a');
    await Promise.all([first.renew(), second.renew()]);
    expect(server.count('/console/session/renew')).toBe(1);
  });

  it('do not wait when nobody is there, and not for ever when nobody answers', async () => {
    await new Browser().tab().get('/a');
    expect(server.count('/console/session/renew')).toBe(1);
    const silent: Tabs = {
      tell: () => undefined,
      listen: () => undefined,
      inTurn: (work) => work(),
      patienceMs: () => Promise.resolve(500),
      join: () => () => undefined,
    };
    const got = new Client(silent).get('/b');
    await vi.advanceTimersByTimeAsync(500);
    await expect(got).resolves.toEqual({ path: '/b' });
  });
});
