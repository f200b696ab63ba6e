// The pages under Settings, and who may open which. Pure.

import type { Me } from '../../api/identity/wire';
import { pages } from '../../paths';
import type { SettingsView } from '../../routes';

type At = SettingsView['at'];

interface Entry {
  name: string;
  href: string;
  icon: 'hook' | 'inbox' | 'app' | 'key' | 'pulse';
  /** The views that stand under it. */
  views: readonly At[];
  for: 'everybody' | 'administrators' | 'operators';
}

export const settingsMenu: readonly { title: string; entries: readonly Entry[] }[] = [
  {
    title: 'Settings',
    entries: [
      { name: 'Webhooks', href: pages.webhooks(), icon: 'hook', views: ['webhooks', 'new-endpoint', 'endpoint'], for: 'administrators' },
      { name: 'Bins', href: pages.bins(), icon: 'inbox', views: ['bins', 'bin'], for: 'administrators' },
    ],
  },
  {
    title: 'Developers',
    entries: [
      { name: 'Apps', href: pages.apps(), icon: 'app', views: ['apps', 'new-app', 'app'], for: 'administrators' },
      { name: 'Credentials', href: pages.credentials(), icon: 'key', views: ['credentials', 'new-credential'], for: 'everybody' },
    ],
  },
  {
    title: 'Oversight',
    entries: [
      { name: 'Server status', href: pages.status(), icon: 'pulse', views: ['status'], for: 'operators' },
    ],
  },
];

type Rights = { person: Pick<Me['person'], 'admin' | 'operator'> };

function may({ for: whom }: Entry, me: Rights): boolean {
  return whom === 'everybody' || (whom === 'administrators' ? me.person.admin : me.person.operator);
}

/** The parts of the menu that somebody sees: what they may not open is left out, and a part that is empty then. */
export function menuFor(me: Rights): typeof settingsMenu {
  return settingsMenu.map(({ title, entries }) => ({ title, entries: entries.filter((entry) => may(entry, me)) })).filter(({ entries }) => entries.length > 0);
}

/** Whether somebody may open a page under Settings. */
export function mayOpen(view: SettingsView, me: Rights): boolean {
  const entry = settingsMenu.flatMap(({ entries }) => entries).find(({ views }) => views.includes(view.at));
  return entry === undefined || may(entry, me);
}
