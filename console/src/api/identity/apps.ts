// Calls about apps. Each is a value first, so that a page can show the command it stands for.

import { calls } from '../../paths';
import type { Ask, Client } from '../kernel/client';
import { LIMIT_MAX, wholeList } from '../kernel/lists';
import type { Some } from '../kernel/wire';
import type { App, AppSettings, ClientSecret } from './wire';

/** A new app: a name, what it is and what it may do; the rest is empty. */
export type NewApp = Some<AppSettings> & Pick<AppSettings, 'name' | 'kind' | 'permissions'>;
/** What is merged into an app. What it is stays. */
export type AppPatch = Some<Omit<AppSettings, 'kind'>>;

/** The calls that pages show as commands. */
export const appAsks = {
  listApps: (): Ask => ({ method: 'GET', path: calls.apps() }),
  createApp: (body: NewApp): Ask => ({ method: 'POST', path: calls.apps(), body }),
  readApp: (id: string): Ask => ({ method: 'GET', path: calls.app(id) }),
  patchApp: (id: string, body: AppPatch): Ask => ({ method: 'PATCH', path: calls.app(id), body }),
  deleteApp: (id: string): Ask => ({ method: 'DELETE', path: calls.app(id) }),
  createSecret: (id: string): Ask => ({ method: 'POST', path: calls.appSecrets(id) }),
  deleteSecret: (id: string, secret: string): Ask => ({ method: 'DELETE', path: calls.appSecret(id, secret) }),
  revealOutboundSecret: (id: string): Ask => ({ method: 'GET', path: calls.outboundSecret(id) }),
  rotateOutboundSecret: (id: string): Ask => ({ method: 'POST', path: calls.rotateOutboundSecret(id) }),
  revealVerificationToken: (id: string): Ask => ({ method: 'GET', path: calls.verificationToken(id) }),
  createVerificationToken: (id: string): Ask => ({ method: 'POST', path: calls.verificationToken(id) }),
  deleteVerificationToken: (id: string): Ask => ({ method: 'DELETE', path: calls.verificationToken(id) }),
};

/** What pages ask of the server about apps. */
export class AppsApi {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  list(signal?: AbortSignal): Promise<App[]> {
    return wholeList<App>(this.#client, (pageToken) => calls.apps({ limit: LIMIT_MAX, pageToken }), signal);
  }

  read(id: string, signal?: AbortSignal): Promise<App> {
    return this.#client.ask<App>(appAsks.readApp(id), signal);
  }

  /** The secret is told this once; browser apps have none. */
  create(body: NewApp): Promise<App & { clientSecret?: string }> {
    return this.#client.ask(appAsks.createApp(body));
  }

  patch(id: string, body: AppPatch): Promise<App> {
    return this.#client.ask<App>(appAsks.patchApp(id, body));
  }

  delete(id: string): Promise<void> {
    return this.#client.ask<void>(appAsks.deleteApp(id));
  }

  /** The secret is told this once. */
  createSecret(id: string): Promise<Omit<ClientSecret, 'lastUsedTime'> & { clientSecret: string }> {
    return this.#client.ask(appAsks.createSecret(id));
  }

  deleteSecret(id: string, secret: string): Promise<void> {
    return this.#client.ask<void>(appAsks.deleteSecret(id, secret));
  }

  /** The server keeps a record of it. */
  async outboundSecret(id: string): Promise<string> {
    return (await this.#client.ask<{ secret: string }>(appAsks.revealOutboundSecret(id))).secret;
  }

  async rotateOutboundSecret(id: string): Promise<string> {
    return (await this.#client.ask<{ secret: string }>(appAsks.rotateOutboundSecret(id))).secret;
  }

  /** The server keeps a record of it. */
  async verificationToken(id: string): Promise<string> {
    return (await this.#client.ask<{ verificationToken: string }>(appAsks.revealVerificationToken(id))).verificationToken;
  }

  /** Makes one, or another in its place. */
  async createVerificationToken(id: string): Promise<string> {
    return (await this.#client.ask<{ verificationToken: string }>(appAsks.createVerificationToken(id))).verificationToken;
  }

  deleteVerificationToken(id: string): Promise<void> {
    return this.#client.ask<void>(appAsks.deleteVerificationToken(id));
  }
}
