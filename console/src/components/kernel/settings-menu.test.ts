import { describe, expect, it } from 'vitest';
import { mayOpen, menuFor, settingsMenu } from './settings-menu';

const member = { person: { admin: false, operator: false } };
const admin = { person: { admin: true, operator: false } };
const operator = { person: { admin: false, operator: true } };
const names = (me: typeof operator | typeof admin | typeof member) => menuFor(me).flatMap(({ entries }) => entries.map(({ name }) => name));

describe('the menu of settings', () => {
  it('has one entry for each view but itself', () => {
    const views = settingsMenu.flatMap(({ entries }) => entries.flatMap(({ views }) => views));
    expect(new Set(views).size).toBe(views.length);
    expect(views).not.toContain('menu');
  });

  it('shows each what they may open', () => {
    expect(names(member)).toEqual(['Credentials']);
    expect(names(admin)).toEqual(['Webhooks', 'Bins', 'Apps', 'Credentials']);
    expect(names(operator)).toEqual(['Credentials', 'Server status']);
    expect(menuFor(member).map(({ title }) => title)).toEqual(['Developers']);
  });

  it('keeps others out, also by the address', () => {
    expect(mayOpen({ at: 'app', app: 'a', tab: 'secrets' }, member)).toBe(false);
    expect(mayOpen({ at: 'new-credential' }, member)).toBe(true);
    expect(mayOpen({ at: 'status' }, admin)).toBe(false);
    expect(mayOpen({ at: 'status' }, operator)).toBe(true);
    expect(mayOpen({ at: 'menu' }, member)).toBe(true);
  });
});
