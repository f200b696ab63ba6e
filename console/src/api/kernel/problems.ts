// Errors of the API as values: read from the envelope by code, told to people in one place.

/** Why a call failed. `code` is the API's `errorCode`, or one of ours in the console's own space. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly parameter: string | null;
  /** The whole answer, for what only one caller knows how to read. */
  readonly answer: unknown;

  constructor(code: string, message: string, status: number, parameter: string | null = null, answer: unknown = null) {
    super(message);
    this.name = 'Problem';
    this.code = code;
    this.status = status;
    this.parameter = parameter;
    this.answer = answer;
  }
}

/** No answer came: the server is down, or the network is. */
export const UNREACHABLE = 'UNREACHABLE';
/** An answer came that is not ours, such as a proxy's page. */
export const UNEXPECTED = 'UNEXPECTED';

/** A member of data from the network, or `undefined`. */
export function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && key in value ? Reflect.get(value, key) : undefined;
}

function textAt(value: unknown, key: string): string | null {
  const found = member(value, key);
  return typeof found === 'string' && found !== '' ? found : null;
}

/** The problem an error answer tells of. `body` is the parsed JSON, or `null` when it was not JSON. */
export function problemOf(status: number, body: unknown): Problem {
  const errors = member(body, 'errors');
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const code = textAt(body, 'errorCode') ?? textAt(first, 'errorCode');
  const message =
    textAt(body, 'message') ?? textAt(first, 'message') ?? textAt(body, 'error_description') ?? textAt(body, 'error');
  const parameter = textAt(first, 'parameterName') ?? textAt(body, 'parameterName');
  return new Problem(code ?? UNEXPECTED, message ?? `The server answered with status ${status}`, status, parameter, body);
}

/** Whatever was thrown, as a problem. A `fetch` that fails throws a `TypeError`, one that takes too long a `TimeoutError`. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')) return new Problem(UNREACHABLE, 'The server cannot be reached', 0);
  return new Problem(UNEXPECTED, error instanceof Error ? error.message : String(error), 0);
}

/** A problem in words for people: what happened, and what to do about it where that is known. */
export interface Explanation {
  title: string;
  remedy: string | null;
}

/** Codes are stable, prose is not: what we say depends on the code, and falls back to the message. */
export function explain(problem: Problem): Explanation {
  switch (problem.code) {
    case UNREACHABLE:
      return { title: 'The server cannot be reached', remedy: 'Check that Hookyard is running. We keep trying.' };
    case 'CMN-102':
      return { title: 'This does not exist, or you may not see it', remedy: null };
    case 'CMN-112':
      return { title: 'This is too large to send', remedy: problem.message };
    case 'CMN-204':
      return { title: 'The server cannot store anything right now', remedy: 'Nothing was lost. Try again in a moment.' };
    case 'CMN-301':
      return { title: 'Too many requests', remedy: 'Wait a moment, then try again.' };
    case 'CMN-401':
    case 'CMN-408':
      return { title: 'You may not do this', remedy: problem.message };
    case 'OAU-140':
      return { title: 'E-mail or password is wrong', remedy: null };
    default:
      return { title: problem.message, remedy: null };
  }
}
