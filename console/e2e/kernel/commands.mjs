// The commands that pages show, run as a reader would: pasted into a shell, with a token of one's own.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
/** How long an endless answer is looked at. */
const LOOK_S = 1;
const TIMED_OUT = 28;

/** Every command under “Do this with curl”, by its name, in the order of the page. */
async function commandsOf(page) {
  const lines = page.locator('summary').filter({ hasText: 'Do this with curl' });
  await lines.first().waitFor();
  for (const line of await lines.all()) await line.click();
  const instructions = page.locator('summary').filter({ hasText: 'How to get one' });
  await instructions.nth((await lines.count()) - 1).waitFor();
  for (const line of await instructions.all()) await line.click();
  const regions = await page.getByRole('region').filter({ hasText: /^curl / }).all();
  const commands = new Map();
  for (const region of regions) {
    const text = await region.textContent();
    if (text.includes('$TOKEN')) commands.set(await region.getAttribute('aria-label'), text);
  }
  assert.ok(commands.size > 0, 'the page shows commands');
  return commands;
}

const tokens = new Map();

/** The token that the page's own instructions lead to, beside the data of a server. One does for all: a person has a few at a time. */
async function tokenOf(page, directory) {
  const instructions = await page.getByRole('region', { name: 'Get a token' }).first().textContent();
  const key = `${directory}\n${instructions}`;
  if (!tokens.has(key)) tokens.set(key, await follow(instructions, directory));
  return tokens.get(key);
}

async function follow(instructions, directory) {
  const beside = await mkdtemp(join(tmpdir(), 'hookyard-beside-'));
  try {
    await symlink(directory, join(beside, 'data'));
    const { stdout } = await execute('sh', ['-c', `${instructions}\nprintf %s "$TOKEN"`], { cwd: beside });
    assert.match(stdout, /^\S{16,}$/, 'a token');
    return stdout;
  } finally {
    await rm(beside, { recursive: true });
  }
}

/** Runs a command; an answer that is not 2xx is a failure. */
export async function run(command, token) {
  const endless = command.includes('--no-buffer');
  const line = `${command} --silent --show-error --fail-with-body --max-time ${endless ? LOOK_S : 20}`;
  const { stdout } = await execute('sh', ['-c', line], { env: { ...process.env, TOKEN: token } }).catch((error) => {
    if (endless && error.code === TIMED_OUT) return error;
    throw new Error(`${command}\n${error.stdout}\n${error.stderr}`);
  });
  return stdout;
}

/** Runs all of a page's commands, and returns what each answered. `adapt` changes one that needs a place to lead to. */
export async function answersOf(page, directory, adapt = (command) => command) {
  const commands = await commandsOf(page);
  const token = await tokenOf(page, directory);
  const answers = new Map();
  for (const [name, command] of commands) {
    assert.ok(!command.includes(token), 'the page keeps its own token to itself');
    answers.set(name, await run(adapt(command), token));
  }
  return answers;
}
