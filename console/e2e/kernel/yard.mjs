// The server as its users get it: the binary on an empty directory, known by the files it writes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const START_TIMEOUT_MS = 30_000;

/** A running server, and its API as the administrator's app sees it. */
export class Yard {
  static async start() {
    const binary = process.env.HOOKYARD_BIN;
    if (!binary) throw new Error('HOOKYARD_BIN must name the hookyard binary; `make test-browser` sets it');
    const yard = new Yard();
    yard.binary = binary;
    yard.directory = await mkdtemp(join(tmpdir(), 'hookyard-browser-'));
    await yard.run('127.0.0.1:0');
    yard.credentials = variablesOf(await yard.text('credentials.env'));
    return yard;
  }

  async text(name) {
    return readFile(join(this.directory, name), 'utf8').catch(() => '');
  }

  /** Starts the process and waits until it has written its address. */
  async run(listen) {
    await rm(join(this.directory, 'address'), { force: true });
    this.log = await open(join(this.directory, 'server.log'), 'a');
    this.child = spawn(this.binary, ['serve', '--listen', listen, '--data-dir', this.directory], {
      stdio: ['ignore', this.log.fd, this.log.fd],
    });
    this.exited = once(this.child, 'exit');
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      this.url = (await this.text('address')).trim().replace(/\/$/, '');
      if (this.url !== '') return;
      if (this.child.exitCode !== null || Date.now() > deadline) {
        this.child.kill('SIGKILL');
        throw new Error(`the server did not become ready:\n${await this.text('server.log')}`);
      }
      await pause(10);
    }
  }

  async halt() {
    this.child.kill('SIGTERM');
    await this.exited;
    await this.log.close();
  }

  /** Stops the server and throws its directory away. */
  async stop() {
    await this.halt();
    await rm(this.directory, { recursive: true, force: true });
  }

  async token() {
    if (this.accessToken !== undefined) return this.accessToken;
    const { RC_APP_CLIENT_ID, RC_APP_CLIENT_SECRET, RC_USER_JWT } = this.credentials;
    const response = await fetch(`${this.url}/restapi/oauth/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from(`${RC_APP_CLIENT_ID}:${RC_APP_CLIENT_SECRET}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: RC_USER_JWT }),
    });
    if (!response.ok) throw new Error(`no token: ${response.status} ${await response.text()}`);
    this.accessToken = (await response.json()).access_token;
    return this.accessToken;
  }

  async api(method, path, body) {
    const response = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${await this.token()}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  }

  /** A new team with an incoming webhook. */
  async team(name) {
    const team = await this.api('POST', '/team-messaging/v1/teams', { name, public: false });
    const webhook = await this.api('POST', `/team-messaging/v1/groups/${team.id}/webhooks`);
    return { id: team.id, name, webhook, path: `/chats/${team.id}` };
  }

  say(team, text) {
    return this.api('POST', `/team-messaging/v1/chats/${team.id}/posts`, { text });
  }
}

/** Posts to a hook's URL like the printed command does, and returns the answer. */
export async function hook(uri, payload) {
  const response = await fetch(uri, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(payload),
  });
  return { status: response.status, body: await response.json() };
}

function variablesOf(text) {
  const lines = text.split('\n').filter((line) => /^[A-Z_]+=/.test(line));
  return Object.fromEntries(
    lines.map((line) => {
      const [name, ...value] = line.split('=');
      return [name, value.join('=').replace(/^(["'])(.*)\1$/, '$2')];
    }),
  );
}
