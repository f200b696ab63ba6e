// The server as its users get it: the binary, started on an empty directory, known only by the
// files it writes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const START_TIMEOUT_MS = 30_000;

/** Starts the binary named by HOOKYARD_BIN and waits until it is ready. */
export async function startYard() {
  const binary = process.env.HOOKYARD_BIN;
  if (!binary) {
    throw new Error('HOOKYARD_BIN must name the hookyard binary; `make test-sdk` sets it');
  }
  const directory = await mkdtemp(join(tmpdir(), 'hookyard-acceptance-'));
  const log = await open(join(directory, 'server.log'), 'a');
  const child = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--data-dir', directory], {
    stdio: ['ignore', log.fd, log.fd],
  });
  const exited = once(child, 'exit');
  const readText = async (name) => {
    try {
      return await readFile(join(directory, name), 'utf8');
    } catch {
      return '';
    }
  };

  const deadline = Date.now() + START_TIMEOUT_MS;
  let url = '';
  while (url === '') {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`the server did not become ready:\n${await readText('server.log')}`);
    }
    await pause(5);
    url = (await readText('address')).trim();
  }
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
