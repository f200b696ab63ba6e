// An endpoint as its form holds it: texts and ticks. Converted once, when it is saved. Pure.

import type { EndpointPatch } from '../../api/endpoints/endpoints';
import type { Authorization, EndpointSettings, Handshake, PayloadFormat, Schedule } from '../../api/endpoints/wire';
import { readJson } from '../../util/json';
import { durationInput, durationOf } from '../../util/numbers';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../util/time';

export interface EndpointDraft {
  url: string;
  description: string;
  eventTypes: string[];
  contentFilter: string;
  headers: { name: string; value: string }[];
  authorization: Authorization['type'];
  username: string;
  password: string;
  token: string;
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
  scope: string;
  verificationToken: string;
  handshake: Handshake;
  signing: boolean;
  payloadFormat: PayloadFormat;
  timeout: string;
  schedule: Schedule['kind'];
  delays: string;
  firstDelay: string;
  longestDelay: string;
  attemptsMax: number | null;
  ageMax: string;
  failureThreshold: number | null;
  batchingIntervalMinutes: number | null;
  batchMax: number | null;
  rateLimited: boolean;
  rateCount: number | null;
  ratePer: string;
  concurrency: number | null;
  ordered: boolean;
}

/** The parts of the form that can be wrong, each with a control of its own. */
export type DraftField = Exclude<keyof EndpointDraft, 'rateLimited' | 'ordered' | 'signing' | 'schedule' | 'handshake' | 'payloadFormat'>;
export type DraftFaults = { [field in DraftField]?: string };

/** What the server does where nothing is said. */
export const defaultSettings: Omit<EndpointSettings, 'url' | 'eventTypes'> = {
  description: '',
  contentFilter: null,
  headers: {},
  authorization: { type: 'none' },
  verificationToken: null,
  handshake: 'none',
  signing: 'standard',
  payloadFormat: 'standard',
  timeoutMs: 15 * SECOND_MS,
  retryPolicy: {
    schedule: {
      kind: 'list',
      delaysMs: [5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR_MS)],
    },
    attemptsMax: 10,
    ageMaxMs: 7 * DAY_MS,
  },
  failureThreshold: 10,
  batchingIntervalMinutes: 0,
  batchMax: 100,
  rateLimit: null,
  concurrency: 16,
  ordered: false,
};

export function emptySettings(): EndpointSettings {
  return { ...defaultSettings, url: '', eventTypes: [] };
}

/** Offered where an endpoint has no exponential schedule or rate of its own. */
const FIRST_MS = 5 * SECOND_MS;
const LONGEST_MS = 12 * HOUR_MS;
const RATE = { count: 100, perMs: SECOND_MS };

export function draftOf(settings: EndpointSettings): EndpointDraft {
  const { authorization, retryPolicy, rateLimit } = settings;
  const { schedule } = retryPolicy;
  const basic = authorization.type === 'basic' ? authorization : null;
  const oauth = authorization.type === 'oauth2' ? authorization : null;
  const delays = schedule.kind === 'list' ? schedule.delaysMs : [];
  return {
    url: settings.url,
    description: settings.description,
    eventTypes: [...settings.eventTypes],
    contentFilter: settings.contentFilter === null || settings.contentFilter === undefined ? '' : JSON.stringify(settings.contentFilter, null, 2),
    headers: Object.entries(settings.headers).map(([name, value]) => ({ name, value })),
    authorization: authorization.type,
    username: basic?.username ?? '',
    password: basic?.password ?? '',
    token: authorization.type === 'bearer' ? authorization.token : '',
    tokenUrl: oauth?.tokenUrl ?? '',
    clientId: oauth?.clientId ?? '',
    clientSecret: oauth?.clientSecret ?? '',
    scope: oauth?.scope ?? '',
    verificationToken: settings.verificationToken ?? '',
    handshake: settings.handshake,
    signing: settings.signing === 'standard',
    payloadFormat: settings.payloadFormat,
    timeout: durationInput(settings.timeoutMs),
    schedule: schedule.kind,
    delays: delays.map(durationInput).join(', '),
    firstDelay: durationInput(schedule.kind === 'exponential' ? schedule.firstMs : FIRST_MS),
    longestDelay: durationInput(schedule.kind === 'exponential' ? schedule.longestMs : LONGEST_MS),
    attemptsMax: retryPolicy.attemptsMax,
    ageMax: durationInput(retryPolicy.ageMaxMs),
    failureThreshold: settings.failureThreshold,
    batchingIntervalMinutes: settings.batchingIntervalMinutes,
    batchMax: settings.batchMax,
    rateLimited: rateLimit !== null,
    rateCount: (rateLimit ?? RATE).count,
    ratePer: durationInput((rateLimit ?? RATE).perMs),
    concurrency: settings.concurrency,
    ordered: settings.ordered,
  };
}

/** The settings that a draft stands for, and what is wrong with it. What is wrong keeps its default. */
export function settingsOf(draft: EndpointDraft): { settings: EndpointSettings; faults: DraftFaults } {
  const faults: DraftFaults = {};
  const duration = (field: 'timeout' | 'firstDelay' | 'longestDelay' | 'ageMax' | 'ratePer'): number => {
    const ms = durationOf(draft[field]);
    if (ms === null) faults[field] = 'Write a number and a unit, such as 15s, 5m, 2h or 7d';
    return ms ?? 0;
  };
  const count = (field: 'attemptsMax' | 'failureThreshold' | 'batchingIntervalMinutes' | 'batchMax' | 'rateCount' | 'concurrency'): number => {
    const value = draft[field];
    if (value === null || !Number.isInteger(value) || value < 0) faults[field] = 'Write a whole number';
    return value ?? 0;
  };
  const url = draft.url.trim();
  if (url === '') faults.url = 'Say where to send events to';
  else if (!URL.canParse(url) || !/^https?:\/\//i.test(url)) faults.url = 'This is not a web address. It begins with https://';
  if (draft.eventTypes.length === 0) faults.eventTypes = 'Choose at least one event type, or all of them';

  const settings: EndpointSettings = {
    url,
    description: draft.description.trim(),
    eventTypes: draft.eventTypes,
    contentFilter: filterOf(draft, faults),
    headers: headersOf(draft, faults),
    authorization: authorizationOf(draft, faults),
    verificationToken: draft.verificationToken === '' ? null : draft.verificationToken,
    handshake: draft.handshake,
    signing: draft.signing ? 'standard' : 'none',
    payloadFormat: draft.payloadFormat,
    timeoutMs: duration('timeout'),
    retryPolicy: {
      schedule:
        draft.schedule === 'list'
          ? { kind: 'list', delaysMs: delaysOf(draft, faults) }
          : { kind: 'exponential', firstMs: duration('firstDelay'), longestMs: duration('longestDelay') },
      attemptsMax: count('attemptsMax'),
      ageMaxMs: duration('ageMax'),
    },
    failureThreshold: count('failureThreshold'),
    batchingIntervalMinutes: count('batchingIntervalMinutes'),
    batchMax: count('batchMax'),
    rateLimit: draft.rateLimited ? { count: count('rateCount'), perMs: duration('ratePer') } : null,
    concurrency: draft.ordered ? 1 : count('concurrency'),
    ordered: draft.ordered,
  };
  return { settings, faults };
}

function filterOf(draft: EndpointDraft, faults: DraftFaults): unknown {
  if (draft.contentFilter.trim() === '') return null;
  const read = readJson(draft.contentFilter);
  if (!read.ok) {
    faults.contentFilter = `Line ${read.fault.line}, column ${read.fault.column}: ${read.fault.message}`;
    return null;
  }
  if (typeof read.value !== 'object' || read.value === null || Array.isArray(read.value)) faults.contentFilter = 'A filter is a JSON object, in braces';
  return read.value;
}

function headersOf(draft: EndpointDraft, faults: DraftFaults): Record<string, string> {
  const named = draft.headers.map(({ name, value }) => ({ name: name.trim(), value })).filter(({ name, value }) => name !== '' || value !== '');
  if (named.some(({ name }) => name === '')) faults.headers = 'A header has a value but no name';
  const seen = new Set(named.map(({ name }) => name.toLowerCase()));
  if (seen.size < named.length) faults.headers = 'Two headers have the same name';
  return Object.fromEntries(named.map(({ name, value }) => [name, value]));
}

function authorizationOf(draft: EndpointDraft, faults: DraftFaults): Authorization {
  const needed = (field: 'username' | 'token' | 'tokenUrl' | 'clientId' | 'clientSecret', words: string): string => {
    if (draft[field] === '') faults[field] = words;
    return draft[field];
  };
  switch (draft.authorization) {
    case 'none':
      return { type: 'none' };
    case 'basic':
      return { type: 'basic', username: needed('username', 'Say which user name to send'), password: draft.password };
    case 'bearer':
      return { type: 'bearer', token: needed('token', 'Say which token to send') };
    case 'oauth2':
      return {
        type: 'oauth2',
        tokenUrl: needed('tokenUrl', 'Say where to get tokens from'),
        clientId: needed('clientId', 'Say which client id to use'),
        clientSecret: needed('clientSecret', 'Say which client secret to use'),
        ...(draft.scope === '' ? {} : { scope: draft.scope }),
      };
  }
}

function delaysOf(draft: EndpointDraft, faults: DraftFaults): number[] {
  const parts = draft.delays.split(/\s*,\s*|\s+(?=\d)/).filter((part) => part.trim() !== '');
  const delays = parts.map(durationOf);
  const bad = parts.find((_, index) => delays[index] === null);
  if (bad !== undefined) faults.delays = `“${bad.trim()}” is not a duration such as 5s, 30m or 2h`;
  else if (parts.length === 0) faults.delays = 'Say after which times to try again';
  return delays.filter((delay) => delay !== null);
}

/** The members that differ, whole. */
export function changesBetween(before: EndpointSettings, after: EndpointSettings): Partial<EndpointSettings> {
  const changed = Object.entries(after).filter(([name, value]) => !same(Reflect.get(before, name), value));
  return Object.fromEntries(changed);
}

/**
 * Changes as the server merges them (RFC 7396): headers one by one, and `null` for those that are gone.
 * Values that are still masked stay as they are.
 */
export function patchOf(before: EndpointSettings, changes: Partial<EndpointSettings>): EndpointPatch {
  const { headers, authorization, ...rest } = changes;
  const patch: EndpointPatch = { ...rest };
  if (headers !== undefined) {
    const gone = Object.keys(before.headers).filter((name) => !(name in headers));
    const changed = Object.entries(headers).filter(([name, value]) => before.headers[name] !== value);
    patch.headers = { ...Object.fromEntries(changed), ...Object.fromEntries(gone.map((name) => [name, null])) };
  }
  if (authorization !== undefined) {
    patch.authorization = authorization.type === 'oauth2' ? { ...authorization, scope: authorization.scope ?? null } : authorization;
  }
  return patch;
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return (a ?? null) === (b ?? null);
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => same(Reflect.get(a, key), Reflect.get(b, key)));
}

const fieldsByMember: Record<string, DraftField> = {
  url: 'url', callbackUrl: 'url', address: 'url', description: 'description', eventTypes: 'eventTypes', contentFilter: 'contentFilter', headers: 'headers', Headers: 'headers',
  verificationToken: 'verificationToken', timeoutMs: 'timeout', failureThreshold: 'failureThreshold', batchingIntervalMinutes: 'batchingIntervalMinutes',
  batchingIntervalInMinutes: 'batchingIntervalMinutes', batchMax: 'batchMax', concurrency: 'concurrency', 'authorization.username': 'username', 'authorization.password': 'password',
  'authorization.token': 'token', 'authorization.tokenUrl': 'tokenUrl', 'authorization.clientId': 'clientId', 'authorization.clientSecret': 'clientSecret', 'authorization.scope': 'scope',
  authorization: 'authorization', 'retryPolicy.attemptsMax': 'attemptsMax', 'retryPolicy.ageMaxMs': 'ageMax', 'retryPolicy.schedule.firstMs': 'firstDelay',
  'retryPolicy.schedule.longestMs': 'longestDelay', retryPolicy: 'delays', 'rateLimit.perMs': 'ratePer', rateLimit: 'rateCount',
};

/** The control that a parameter of the API belongs to: the longest path that is known. */
export function fieldOf(parameter: string): DraftField | null {
  const path = parameter.replaceAll(/\[\d+\]/g, '').split(/[./]/);
  for (let length = path.length; length > 0; length -= 1) {
    const field = fieldsByMember[path.slice(0, length).join('.')];
    if (field !== undefined) return field;
  }
  return null;
}

/** The JSON pointer into a content filter that a parameter holds: `contentFilter/data/x` or `contentFilter.data.x`. */
export function filterPointer(parameter: string): string | null {
  const found = /^contentFilter(?:#)?([./].*)$/.exec(parameter)?.[1];
  if (found === undefined) return null;
  const slash = found.indexOf('/');
  return slash >= 0 ? found.slice(slash) : found.replaceAll('.', '/').replaceAll(/\[(\d+)\]/g, '/$1');
}

/** The same, but for masked values those that `known` holds in the clear. */
export function unmasked(settings: EndpointSettings, known: EndpointSettings): EndpointSettings {
  const clear = (value: string, before: string | undefined): string => (isMasked(value) && before !== undefined ? before : value);
  const { authorization: now } = settings;
  const { authorization: was } = known;
  return {
    ...settings,
    headers: Object.fromEntries(Object.entries(settings.headers).map(([name, value]) => [name, clear(value, known.headers[name])])),
    verificationToken: settings.verificationToken === null ? null : clear(settings.verificationToken, known.verificationToken ?? undefined),
    authorization:
      now.type === 'basic' && was.type === 'basic'
        ? { ...now, password: clear(now.password, was.password) }
        : now.type === 'bearer' && was.type === 'bearer'
          ? { ...now, token: clear(now.token, was.token) }
          : now.type === 'oauth2' && was.type === 'oauth2'
            ? { ...now, clientSecret: clear(now.clientSecret, was.clientSecret) }
            : now,
  };
}

/** Dots stand for a value that the server did not tell. */
export function isMasked(value: string): boolean {
  return value.includes('•');
}

/** Whether anything in it is a mask. */
export function hasMasks(settings: Pick<EndpointSettings, 'headers' | 'authorization' | 'verificationToken'>): boolean {
  return JSON.stringify([settings.headers, settings.authorization, settings.verificationToken]).includes('•');
}
