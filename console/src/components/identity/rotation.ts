// Changing an app's secret without a moment in which none is right, as steps. Pure.

import type { ClientSecret } from '../../api/identity/wire';
import { timeOf } from '../../util/time';

export type StepState = 'done' | 'now' | 'later';

export interface Rotation {
  /** The secret that goes, and the one that takes its place; `null` while there is none. */
  old: ClientSecret;
  next: ClientSecret | null;
  /** Make another; put it into the program; remove the old one. */
  states: readonly [StepState, StepState, StepState];
  /** Whether the old one was used after the new one was made, and the new one not since. */
  oldInUse: boolean;
}

const at = (time: string | null): number => timeOf(time)?.getTime() ?? 0;

/** How far a rotation has come; `null` for an app without a secret. `secrets` are oldest first. */
export function rotationOf(secrets: readonly ClientSecret[]): Rotation | null {
  const [old, next = null] = secrets.toSorted((a, b) => at(a.creationTime) - at(b.creationTime));
  if (old === undefined) return null;
  if (next === null) return { old, next, states: ['now', 'later', 'later'], oldInUse: false };
  const oldInUse = at(old.lastUsedTime) > Math.max(at(next.creationTime), at(next.lastUsedTime));
  const switched = next.lastUsedTime !== null && !oldInUse;
  return { old, next, states: switched ? ['done', 'done', 'now'] : ['done', 'now', 'later'], oldInUse };
}
