// The server as its users get it: the binary, started on an empty directory, known only by the
// files it writes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const START_TIMEOUT_MS = 30_000;

/**
 * Starts the binary named by HOOKYARD_BIN and waits until it is ready.
 * @param {string} [configuration] TOML that it is given as its configuration file.
 */
export async function startYard(configuration = '') {
  const binary = process.env.HOOKYARD_BIN;
  if (!binary) {
    throw new Error('HOOKYARD_BIN must name the hookyard binary; `make test-sdk` sets it');
  }
  const directory = await mkdtemp(join(tmpdir(), 'hookyard-acceptance-'));
  const configFile = join(directory, 'hookyard.toml');
  await writeFile(configFile, configuration);
  const log = await open(join(directory, 'server.log'), 'a');
  const readText = async (name) => {
    try {
      return await readFile(join(directory, name), 'utf8');
    } catch {
      return '';
    }
  };

  let child;
  let exited;
  const start = async (listen) => {
    await rm(join(directory, 'address'), { force: true });
    child = spawn(
      binary,
      ['serve', '--listen', listen, '--data-dir', directory, '--config', configFile],
      { stdio: ['ignore', log.fd, log.fd] },
    );
    exited = once(child, 'exit');
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const url = (await readText('address')).trim();
      if (url !== '') return url;
      if (child.exitCode !== null || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`the server did not become ready:\n${await readText('server.log')}`);
      }
      await pause(5);
    }
  };

  const url = await start('127.0.0.1:0');
  const credentials = Object.fromEntries(
    (await readText('credentials.env'))
      .split('\n')
      .filter((line) => /^[A-Z_]+=/.test(line))
      .map((line) => {
        const [name, ...value] = line.split('=');
        return [name, value.join('=').replace(/^"(.*)"$/, '$1')];
      }),
  );
  return {
    url,
    credentials,
    /** What the server has logged. */
    log: () => readText('server.log'),
    /** Kills the server as a power cut would, and starts it again at the same address. */
    async crash() {
      child.kill('SIGKILL');
      await exited;
      await start(new URL(url).host);
    },
    /** Asks the server to stop; resolves to how it ended. */
    async stop() {
      child.kill('SIGTERM');
      const [code, signal] = await exited;
      await log.close();
      await rm(directory, { recursive: true, force: true });
      return { code, signal };
    },
  };
}
