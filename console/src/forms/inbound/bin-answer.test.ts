import { describe, expect, it } from 'vitest';
import type { BinReply } from '../../api/inbound/wire';
import { answerOf, draftOfAnswer } from './bin-answer';

const plain: BinReply = { status: 503, headers: { 'Retry-After': '60', 'X-A': 'b: c' }, body: 'Later', delayMs: 2_000, sequence: [], repeat: 'last', handshake: true };

describe('what a bin answers', () => {
  it('survives the form', () => {
    for (const answer of [plain, { ...plain, repeat: 'cycle' as const, handshake: false }]) {
      expect(answerOf(draftOfAnswer({ name: 'b', answer }))).toEqual({ answer, faults: {} });
    }
  });

  it('gives several statuses in turn, each with the same headers, body and delay', () => {
    const { answer } = answerOf({ ...draftOfAnswer({ name: '', answer: plain }), statuses: '500 503, 204', delay: '' });
    const shared = { headers: plain.headers, body: 'Later', delayMs: 0 };
    expect(answer.sequence).toEqual([{ ...shared, status: 500 }, { ...shared, status: 503 }, { ...shared, status: 204, body: '' }]);
    expect(answer.status).toBe(500);
    expect(draftOfAnswer({ name: '', answer }).statuses).toBe('500, 503, 204');
  });

  it('says what is wrong', () => {
    const draft = draftOfAnswer({ name: '', answer: plain });
    expect(Object.keys(answerOf({ ...draft, statuses: '500, often', headers: 'no colon', delay: 'long' }).faults)).toEqual(['statuses', 'delay', 'headers']);
    expect(answerOf({ ...draft, statuses: '' }).faults.statuses).toBeDefined();
    expect(answerOf({ ...draft, statuses: '99' }).faults.statuses).toBeDefined();
  });
});
