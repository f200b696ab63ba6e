// What an app may be allowed to do, in words. The names are the platform's. Pure.

export interface PermissionWords {
  name: string;
  text: string;
}

export const permissionGroups: readonly { title: string; permissions: readonly PermissionWords[] }[] = [
  {
    title: 'People',
    permissions: [
      { name: 'ReadAccounts', text: 'Read the account and its people' },
      { name: 'EditExtensions', text: 'Change people, apps and credentials' },
      { name: 'ReadPresence', text: 'Read who is available' },
      { name: 'EditPresence', text: 'Change who is available' },
    ],
  },
  {
    title: 'Chats and messages',
    permissions: [
      { name: 'TeamMessaging', text: 'Read and write chats, posts and incoming webhooks' },
      { name: 'ReadMessages', text: 'Read message stores' },
      { name: 'EditMessages', text: 'Mark messages as read, and delete them' },
      { name: 'InternalMessages', text: 'Send messages between people of the account' },
    ],
  },
  {
    title: 'Events',
    permissions: [
      { name: 'SubscriptionWebhook', text: 'Subscribe by webhook; endpoints, deliveries and bins' },
      { name: 'WebSocketsSubscription', text: 'Subscribe by WebSocket' },
      { name: 'SubscriptionPubNub', text: 'Subscribe by long poll' },
      { name: 'SubscriptionAPNS', text: 'Subscribe by push to Apple devices' },
      { name: 'SubscriptionGCM', text: 'Subscribe by push to Android devices' },
      { name: 'PublishEvents', text: 'Publish events in the name of another product' },
    ],
  },
  {
    title: 'Calls',
    permissions: [
      { name: 'ReadCallLog', text: 'Read what became of calls' },
      { name: 'CallControl', text: 'Follow and control calls' },
    ],
  },
];

/** Every permission that this page has words for, in its order. */
export const permissionNames: readonly string[] = permissionGroups.flatMap(({ permissions }) => permissions.map(({ name }) => name));

/** The groups with those of `given` that this page does not know yet, as the last. */
export function groupsWith(given: readonly string[]): typeof permissionGroups {
  const others = given.filter((name) => !permissionNames.includes(name));
  return others.length === 0 ? permissionGroups : [...permissionGroups, { title: 'Others', permissions: others.map((name) => ({ name, text: '' })) }];
}

/** The permissions in the order in which pages show them. */
export function inOrder(permissions: Iterable<string>): string[] {
  const place = (name: string): number => (permissionNames.includes(name) ? permissionNames.indexOf(name) : permissionNames.length);
  return [...permissions].toSorted((a, b) => place(a) - place(b));
}
