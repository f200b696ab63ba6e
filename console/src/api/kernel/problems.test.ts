import { describe, expect, it } from 'vitest';
import { Problem, UNEXPECTED, UNREACHABLE, asProblem, explain, problemOf } from './problems';

describe('problems', () => {
  it('are read from both levels of the envelope', () => {
    const item = { errorCode: 'CMN-101', message: 'Parameter [text] value is invalid', parameterName: 'text' };
    for (const body of [{ ...item, errors: [item] }, { errors: [item] }]) {
      const problem = problemOf(400, body);
      expect(problem).toMatchObject({ code: 'CMN-101', message: item.message, status: 400, parameter: 'text' });
    }
  });

  it('have a code of their own when the answer is not ours', () => {
    for (const body of [null, 'Bad gateway', [], { errors: 'no' }, { errors: [] }, { errorCode: 7 }]) {
      const problem = problemOf(502, body);
      expect(problem.code).toBe(UNEXPECTED);
      expect(problem.message).toContain('502');
    }
  });

  it('tell a dead network from a bug', () => {
    expect(asProblem(new TypeError('Failed to fetch')).code).toBe(UNREACHABLE);
    expect(asProblem(new DOMException('signal timed out', 'TimeoutError')).code).toBe(UNREACHABLE);
    expect(asProblem(new RangeError('oops'))).toMatchObject({ code: UNEXPECTED, message: 'oops' });
    const known = new Problem('CMN-102', 'gone', 404);
    expect(asProblem(known)).toBe(known);
  });

  it('are explained by code, not by prose', () => {
    expect(explain(problemOf(400, { errorCode: 'OAU-140', message: 'anything' })).title).toBe('E-mail or password is wrong');
    expect(explain(problemOf(418, { errorCode: 'XXX-1', message: 'Short and stout' })).title).toBe('Short and stout');
  });
});
