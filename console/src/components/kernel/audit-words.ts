// What the audit log says, in sentences for people. An action that is new to this page is shown by its name. Pure.

import type { Actor, AuditEntry } from '../../api/kernel/wire';
import { pages } from '../../paths';

/** Verbs that are not simply the past tense that they are named by. */
const verbs: Record<string, string> = {
  secret_revealed: 'looked at the secret of',
  secret_rotated: 'rotated the secret of',
  secret_created: 'made a second secret for',
  secret_deleted: 'removed a secret of',
  outbound_secret_revealed: 'looked at the outbound secret of',
  outbound_secret_rotated: 'rotated the outbound secret of',
  verification_token_revealed: 'looked at the verification token of',
  verification_token_created: 'generated a verification token for',
  verification_token_generated: 'generated a verification token for',
  verification_token_replaced: 'replaced the verification token of',
  verification_token_deleted: 'removed the verification token of',
  verification_token_removed: 'removed the verification token of',
  credentials_revealed: 'looked at the credentials of',
  password_changed: 'changed the password of',
  granted: 'granted',
};

/** `sign_in` as `sign-in`, `EventType` as `event type`. */
export function plainName(name: string): string {
  return name.replaceAll('_', ' ').replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase().replace('sign in', 'sign-in');
}

/** What was done: `created the app`. What it was done to is named beside it. */
export function deedText(action: string): string {
  const dot = action.indexOf('.');
  if (dot < 0) return plainName(action);
  const noun = action.slice(0, dot);
  const verb = action.slice(dot + 1);
  if (noun === 'sign_in') return verb === 'failed' ? 'failed to sign in as' : `signed in: ${plainName(verb)}`;
  if (noun === 'operator') return verb === 'granted' ? 'made an operator of' : verb === 'revoked' ? 'took the right of an operator from' : `${plainName(verb)} the operator`;
  return `${verbs[verb] ?? plainName(verb)} the ${plainName(noun)}`;
}

/** An action in a list to choose from: `App: secret revealed`. */
export function actionText(action: string): string {
  const [noun = '', verb] = action.split('.');
  const name = plainName(noun);
  const said = name.charAt(0).toUpperCase() + name.slice(1);
  return verb === undefined ? said : `${said}: ${plainName(verb)}`;
}

export function actorText(actor: Pick<Actor, 'kind' | 'name' | 'personId'>): string {
  if (actor.kind === 'System') return 'Hookyard';
  if (actor.kind === 'Anonymous') return 'Somebody';
  // Erasing a person drops the name and keeps the id.
  return actor.name ?? (actor.personId === null ? 'Somebody' : `Person ${actor.personId}`);
}

export function targetText({ target }: Pick<AuditEntry, 'target'>): string {
  return target.name ?? target.id;
}

/** The page of what something was done to, where it has one and may still be there. */
export function targetHref({ action, target }: Pick<AuditEntry, 'action' | 'target'>): string | null {
  if (/\.(?:deleted|erased)$/.test(action)) return null;
  switch (target.kind.toLowerCase()) {
    case 'app':
      return pages.app(target.id);
    case 'endpoint':
      return pages.endpoint(target.id);
    case 'bin':
      return pages.bin(target.id);
    default:
      return null;
  }
}

/** How much attention a deed deserves: secrets that were seen, doors that were tried, what is gone. */
export function toneOf(action: string): 'plain' | 'warn' | 'bad' {
  if (/revealed$/.test(action)) return 'warn';
  return /(?:failed|deleted|revoked|erased)$/.test(action) ? 'bad' : 'plain';
}
