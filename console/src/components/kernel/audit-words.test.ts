import { describe, expect, it } from 'vitest';
import { actionText, actorText, deedText, targetHref, targetText, toneOf } from './audit-words';

describe('an entry of the audit log', () => {
  it.each([
    ['app.created', 'created the app'],
    ['event_type.deprecated', 'deprecated the event type'],
    ['endpoint.secret_revealed', 'looked at the secret of the endpoint'],
    ['app.verification_token_replaced', 'replaced the verification token of the app'],
    ['credential.revoked', 'revoked the credential'],
    ['sign_in.failed', 'failed to sign in as'],
    ['operator.granted', 'made an operator of'],
    ['crane.swung_round', 'swung round the crane'],
    ['restart', 'restart'],
  ])('of %s says who %s', (action, text) => {
    expect(deedText(action)).toBe(text);
  });

  it('has its place in a list of actions', () => {
    expect(['app.secret_revealed', 'sign_in.failed', 'restart'].map(actionText)).toEqual(['App: secret revealed', 'Sign-in: failed', 'Restart']);
  });

  it('names who did it, also when they are erased', () => {
    expect(actorText({ kind: 'Person', name: 'Ada', personId: '7' })).toBe('Ada');
    expect(actorText({ kind: 'Person', name: null, personId: '7' })).toBe('Person 7');
    expect(actorText({ kind: 'System', name: null, personId: null })).toBe('Hookyard');
    expect(actorText({ kind: 'Anonymous', name: null, personId: null })).toBe('Somebody');
  });

  it('leads to what it was done to while that is there', () => {
    const target = { kind: 'App', id: 'a/1', name: null };
    expect(targetHref({ action: 'app.changed', target })).toBe('/settings/apps/a%2F1');
    expect(targetHref({ action: 'app.deleted', target })).toBeNull();
    expect(targetHref({ action: 'person.changed', target: { kind: 'Person', id: '7', name: 'Ada' } })).toBeNull();
    expect(targetText({ target })).toBe('a/1');
  });

  it('stands out when a secret was seen or something is gone', () => {
    expect(['app.created', 'endpoint.secret_revealed', 'sign_in.failed', 'app.secret_deleted'].map(toneOf)).toEqual(['plain', 'warn', 'bad', 'bad']);
  });
});
