// Every address the console or its API client builds. Ids are always escaped here, nowhere else.

type Id = string;

const segment = (id: Id): string => encodeURIComponent(id);

/** Pages. */
export const pages = {
  home: () => '/',
  signIn: () => '/sign-in',
  chat: (chat: Id) => `/chats/${segment(chat)}`,
  chatWebhooks: (chat: Id) => `/chats/${segment(chat)}?pane=webhooks`,
  chatDetails: (chat: Id, post: Id) => `/chats/${segment(chat)}?pane=details&post=${segment(post)}`,
};

const messaging = '/team-messaging/v1';

/** API calls. */
export const calls = {
  session: () => '/console/session',
  renewSession: () => '/console/session/renew',
  me: () => '/api/v1/me',
  live: () => '/api/v1/live',
  origin: (chat: Id, post: Id) => `/api/v1/chats/${segment(chat)}/posts/${segment(post)}/origin`,
  deliveriesOf: (chat: Id, post: Id) => `/api/v1/chats/${segment(chat)}/posts/${segment(post)}/deliveries`,
  delivery: (delivery: Id) => `/api/v1/deliveries/${segment(delivery)}`,
  subscriptions: () => '/restapi/v1.0/subscription',
  recentChats: () => `${messaging}/recent/chats?recordCount=250`,
  chat: (chat: Id) => `${messaging}/chats/${segment(chat)}`,
  person: (person: Id) => `${messaging}/persons/${segment(person)}`,
  posts: (chat: Id) => `${messaging}/chats/${segment(chat)}/posts`,
  postsPage: (chat: Id, recordCount: number, pageToken?: string) =>
    `${messaging}/chats/${segment(chat)}/posts?recordCount=${recordCount}` +
    (pageToken === undefined ? '' : `&pageToken=${segment(pageToken)}`),
  webhooksOf: (chat: Id) => `${messaging}/groups/${segment(chat)}/webhooks`,
  webhook: (webhook: Id) => `${messaging}/webhooks/${segment(webhook)}`,
  activateWebhook: (webhook: Id) => `${messaging}/webhooks/${segment(webhook)}/activate`,
  suspendWebhook: (webhook: Id) => `${messaging}/webhooks/${segment(webhook)}/suspend`,
};

/** Event filters, as subscriptions name them. */
export const filters = {
  posts: () => `${messaging}/posts`,
};
