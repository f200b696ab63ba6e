// What a bin answers, as its form holds it. Pure.

import type { Bin, BinReply } from '../../api/inbound/wire';
import { durationInput, durationOf } from '../../util/numbers';

export interface AnswerDraft {
  name: string;
  /** One status, or several that are given in turn. */
  statuses: string;
  /** One header on each line. */
  headers: string;
  body: string;
  delay: string;
  /** What comes after the last of several statuses. */
  repeat: 'last' | 'cycle';
  handshake: boolean;
}

export type AnswerFaults = { [field in 'statuses' | 'headers' | 'delay']?: string };

export function draftOfAnswer({ name, answer }: Pick<Bin, 'name' | 'answer'>): AnswerDraft {
  const statuses = answer.sequence?.length ? answer.sequence.map(({ status }) => status) : [answer.status];
  return {
    name,
    statuses: statuses.join(', '),
    headers: Object.entries(answer.headers).map(([header, value]) => `${header}: ${value}`).join('\n'),
    body: answer.body,
    delay: answer.delayMs === 0 ? '' : durationInput(answer.delayMs),
    repeat: answer.repeat ?? 'last',
    handshake: answer.handshake ?? true,
  };
}

export function answerOf(draft: AnswerDraft): { answer: BinReply; faults: AnswerFaults } {
  const faults: AnswerFaults = {};
  const parts = draft.statuses.split(/[\s,]+/).filter((part) => part !== '');
  const statuses = parts.map(Number);
  const [first] = statuses;
  if (first === undefined || statuses.some((status) => !Number.isInteger(status) || status < 200 || status > 599)) faults.statuses = 'A status is a number from 200 to 599';
  const delayMs = draft.delay.trim() === '' ? 0 : durationOf(draft.delay);
  if (delayMs === null) faults.delay = 'Write a number and a unit, such as 250ms or 2s';
  const lines = draft.headers.split('\n').filter((line) => line.trim() !== '');
  const headers = lines.map((line) => /^\s*([^\s:]+)\s*:\s*(.*?)\s*$/.exec(line));
  if (headers.includes(null)) faults.headers = 'Each line is a name, a colon and a value';
  const shared = {
    headers: Object.fromEntries(headers.filter((found) => found !== null).map(([, header, value]) => [header ?? '', value ?? ''])),
    body: draft.body,
    delayMs: delayMs ?? 0,
  };
  const answer: BinReply = {
    ...shared,
    status: first ?? 200,
    sequence: statuses.length > 1 ? statuses.map((status) => ({ ...shared, status, body: bodiless(status) ? '' : shared.body })) : [],
    repeat: draft.repeat,
    handshake: draft.handshake,
  };
  return { answer, faults };
}

/** Answers of HTTP that have no body. */
function bodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}
