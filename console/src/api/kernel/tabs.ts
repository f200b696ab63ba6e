// Tabs of one browser share one session: renewing it ends the token that the others hold. So whoever
// renews tells the others, in memory, and who comes new asks first.

export interface SharedToken {
  token: string;
  /** When it ends, in milliseconds since the epoch. */
  endsAt: number;
  person: string;
}

export type TabMessage = { kind: 'ask' } | { kind: 'ended' } | ({ kind: 'token' } & SharedToken);

/** A way to the other tabs. */
export interface Tabs {
  tell: (message: TabMessage) => void;
  listen: (heard: (message: TabMessage) => void) => void;
  /** Runs `work` while no other tab runs its own. */
  inTurn: (work: () => Promise<void>) => Promise<void>;
  /** How long to wait for an answer, in milliseconds; nothing when nobody is there to give one. */
  patienceMs: () => Promise<number>;
  /** This tab has a token to hand over, until the returned function is called. */
  join: () => () => void;
}

/** A tab that holds the token answers at once, unless its machine is busy. */
const ANSWER_MS_MAX = 500;
/** Where nobody can tell whether there are other tabs, every page load waits: it must not be felt. */
const BLIND_MS = 60;

/** Nobody else: for browsers without channels, and for tests. */
export const alone: Tabs = {
  tell: () => undefined,
  listen: () => undefined,
  inTurn: (work) => work(),
  patienceMs: () => Promise.resolve(0),
  join: () => () => undefined,
};

/** The tabs of this origin. Locks exist over https and on this machine only; without them tabs are polite by chance. */
export function otherTabs(): Tabs {
  if (!('BroadcastChannel' in globalThis)) return alone;
  const channel = new BroadcastChannel('hookyard.session');
  const talk = {
    tell: (message: TabMessage) => channel.postMessage(message),
    listen: (heard: (message: TabMessage) => void) =>
      channel.addEventListener('message', ({ data }) => {
        if (isTabMessage(data)) heard(data);
      }),
  };
  if (!('locks' in navigator)) return { ...alone, ...talk, patienceMs: () => Promise.resolve(BLIND_MS) };
  const { locks } = navigator;
  return {
    ...talk,
    inTurn: (work) => locks.request('hookyard.renewal', work),
    patienceMs: async () => {
      const { held } = await locks.query();
      return held?.some(({ name }) => name === 'hookyard.tab') === true ? ANSWER_MS_MAX : 0;
    },
    join: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      void locks.request('hookyard.tab', { mode: 'shared' }, () => promise);
      return resolve;
    },
  };
}

function isTabMessage(value: unknown): value is TabMessage {
  if (typeof value !== 'object' || value === null) return false;
  const kind: unknown = Reflect.get(value, 'kind');
  if (kind === 'ask' || kind === 'ended') return true;
  return (
    kind === 'token' &&
    typeof Reflect.get(value, 'token') === 'string' &&
    typeof Reflect.get(value, 'person') === 'string' &&
    Number.isFinite(Reflect.get(value, 'endsAt'))
  );
}
