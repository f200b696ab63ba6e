// Every address the console or its API client builds. Ids are always escaped here, nowhere else.

type Id = string;

const segment = (id: Id): string => encodeURIComponent(id);

/** What follows the question mark. Members without a value are left out. */
export type Search = Record<string, string | number | boolean | null | undefined>;

function searched(path: string, search: Search): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value !== null && value !== undefined && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Tabs of an endpoint's page, as they stand in the address. The first has the page's own. */
export const endpointTabs = ['overview', 'deliveries', 'test', 'settings'] as const;
export type EndpointTab = (typeof endpointTabs)[number];

/** Tabs of an app's page, as they stand in the address. The first has the page's own. */
export const appTabs = ['overview', 'secrets', 'settings'] as const;
export type AppTab = (typeof appTabs)[number];

/** Pages. */
export const pages = {
  home: () => '/',
  signIn: () => '/sign-in',
  chat: (chat: Id) => `/chats/${segment(chat)}`,
  chatWebhooks: (chat: Id) => `/chats/${segment(chat)}?pane=webhooks`,
  chatDetails: (chat: Id, post: Id) => `/chats/${segment(chat)}?pane=details&post=${segment(post)}`,
  settings: () => '/settings',
  webhooks: (search: Search = {}) => searched('/settings/webhooks', search),
  newEndpoint: () => '/settings/webhooks/new',
  endpoint: (endpoint: Id, tab: EndpointTab = 'overview', search: Search = {}) =>
    searched(`/settings/webhooks/${segment(endpoint)}${tab === 'overview' ? '' : `/${tab}`}`, search),
  delivery: (endpoint: Id, delivery: Id, search: Search = {}) =>
    searched(`/settings/webhooks/${segment(endpoint)}/deliveries/${segment(delivery)}`, search),
  bins: () => '/settings/bins',
  bin: (bin: Id, search: Search = {}) => searched(`/settings/bins/${segment(bin)}`, search),
  apps: () => '/settings/apps',
  newApp: () => '/settings/apps/new',
  app: (app: Id, tab: AppTab = 'overview') => `/settings/apps/${segment(app)}${tab === 'overview' ? '' : `/${tab}`}`,
  credentials: (search: Search = {}) => searched('/settings/credentials', search),
  newCredential: (search: Search = {}) => searched('/settings/credentials/new', search),
  status: () => '/settings/status',
};

const messaging = '/team-messaging/v1';
const api = '/api/v1';

/** What can be done to an endpoint by posting to it. */
export type EndpointAction = 'pause' | 'resume' | 'recover' | 'replay' | 'resend' | 'handshake' | 'test';

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
  endpoints: (search: Search = {}) => searched(`${api}/endpoints`, search),
  endpoint: (endpoint: Id, search: Search = {}) => searched(`${api}/endpoints/${segment(endpoint)}`, search),
  endpointStats: (endpoint: Id, search: Search) => searched(`${api}/endpoints/${segment(endpoint)}/stats`, search),
  endpointAction: (endpoint: Id, action: EndpointAction) => `${api}/endpoints/${segment(endpoint)}/${action}`,
  endpointSecret: (endpoint: Id) => `${api}/endpoints/${segment(endpoint)}/secret`,
  rotateSecret: (endpoint: Id) => `${api}/endpoints/${segment(endpoint)}/secret/rotate`,
  eventTypes: (search: Search = {}) => searched(`${api}/event-types`, search),
  deliveries: (search: Search) => searched(`${api}/deliveries`, search),
  resendDelivery: (delivery: Id) => `${api}/deliveries/${segment(delivery)}/resend`,
  jobs: (search: Search = {}) => searched(`${api}/jobs`, search),
  job: (job: Id) => `${api}/jobs/${segment(job)}`,
  scenarios: () => `${api}/scenarios`,
  runScenario: (name: string) => `${api}/scenarios/${segment(name)}/run`,
  bins: (search: Search = {}) => searched(`${api}/bins`, search),
  bin: (bin: Id) => `${api}/bins/${segment(bin)}`,
  binRequests: (bin: Id, search: Search = {}) => searched(`${api}/bins/${segment(bin)}/requests`, search),
  binStream: (bin: Id) => `${api}/bins/${segment(bin)}/stream`,
  apps: (search: Search = {}) => searched(`${api}/apps`, search),
  app: (app: Id) => `${api}/apps/${segment(app)}`,
  appSecrets: (app: Id) => `${api}/apps/${segment(app)}/secrets`,
  appSecret: (app: Id, secret: Id) => `${api}/apps/${segment(app)}/secrets/${segment(secret)}`,
  outboundSecret: (app: Id) => `${api}/apps/${segment(app)}/outbound-secret`,
  rotateOutboundSecret: (app: Id) => `${api}/apps/${segment(app)}/outbound-secret/rotate`,
  verificationToken: (app: Id) => `${api}/apps/${segment(app)}/verification-token`,
  credentials: (search: Search = {}) => searched(`${api}/credentials`, search),
  credential: (credential: Id) => `${api}/credentials/${segment(credential)}`,
  revokeCredential: (credential: Id) => `${api}/credentials/${segment(credential)}/revoke`,
  bots: () => '/restapi/v1.0/account/~/extension?type=Bot&perPage=250',
  status: () => `${api}/status`,
};

/** Event filters, as subscriptions name them. */
export const filters = {
  posts: () => `${messaging}/posts`,
};
