// What every file of journeys stands on: a browser, and a server of its own. Both are gone after the last journey.

import assert from 'node:assert/strict';
import { after, afterEach } from 'node:test';
import { Visitor, launch } from './visitor.mjs';
import { Yard } from './yard.mjs';

/** What a browser logs about an answer that a journey provokes. */
export const refused = (status) => new RegExp(`Failed to load resource: the server responded with a status of ${status}`);
/** What it logs about a server that is away. */
export const hungUp = /Failed to load resource: net::ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE)/;

/** Sets the stage for a file, with somebody in the browser whose every journey must end without a fault. */
export async function setStage({ signedIn = true } = {}) {
  const browser = await launch();
  after(() => browser.close());
  const yard = await Yard.start();
  after(() => yard.stop());
  const visitor = await Visitor.arrive(browser, yard.url);
  afterEach(() => visitor.leave());
  if (signedIn) await signIn(visitor, yard);
  return { browser, yard, visitor };
}

/** Comes in by the link that the first start prints. */
async function signIn(visitor, yard) {
  const link = new URL(yard.credentials.HOOKYARD_CONSOLE_URL);
  const page = await visitor.open(link.pathname + link.hash);
  await page.getByRole('navigation', { name: 'Chats' }).waitFor();
  await visitor.leave();
}

/** Waits until a page has a title and nothing on it is still being read. */
export const settled = (page) => page.waitForFunction(() => document.querySelector('h1') && !document.querySelector('[aria-busy="true"]'));

/** What the focus is on, by its label, its id or its words. */
export const focused = (page) =>
  page.evaluate(() => {
    const active = document.activeElement;
    return active?.getAttribute('aria-label') ?? (active?.id || active?.textContent?.trim()) ?? '';
  });

/** Presses Tab until `wanted` has the focus. */
export async function tabTo(page, wanted, presses = 60) {
  for (let press = 0; press < presses; press += 1) {
    if (wanted.test(await focused(page))) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`${wanted} is out of reach; the focus is on “${await focused(page)}”`);
}

/** Waits for what the server does on its own time. */
export async function until(what, condition, timeoutMs = 15_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
