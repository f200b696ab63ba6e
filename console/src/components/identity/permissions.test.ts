import { describe, expect, it } from 'vitest';
import { groupsWith, inOrder, permissionGroups, permissionNames } from './permissions';

describe('permissions', () => {
  it('are each in one group, with words', () => {
    expect(new Set(permissionNames).size).toBe(permissionNames.length);
    for (const { permissions } of permissionGroups) for (const { text } of permissions) expect(text).toMatch(/^[A-Z].+[^.]$/);
  });

  it('that are new to the page are shown by their names', () => {
    expect(groupsWith(['TeamMessaging'])).toBe(permissionGroups);
    expect(groupsWith(['TeamMessaging', 'Faxing']).at(-1)).toEqual({ title: 'Others', permissions: [{ name: 'Faxing', text: '' }] });
  });

  it('have one order, whatever order they come in', () => {
    expect(inOrder(new Set(['Faxing', 'CallControl', 'ReadAccounts']))).toEqual(['ReadAccounts', 'CallControl', 'Faxing']);
  });
});
