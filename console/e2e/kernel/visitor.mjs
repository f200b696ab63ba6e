// A browser that watches itself: every page must end without console errors, policy violations and
// requests to anybody else.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** Of a picture, in pixels. */
const HEIGHT_MAX = 3_000;

const programs = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export async function launch() {
  const executablePath = programs.find((path) => path && existsSync(path));
  if (executablePath === undefined) throw new Error('Chromium is missing; install it, or set CHROMIUM to its path');
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Keeps a picture of the page, as high as it is, in the directory that `HOOKYARD_PICTURES` names, if it names one. */
export async function picture(page, name) {
  const directory = process.env.HOOKYARD_PICTURES;
  if (!directory) return;
  await mkdir(directory, { recursive: true });
  const { width, height } = page.viewportSize();
  const whole = await page.evaluate(() => Math.max(...[...document.querySelectorAll('*')].map(({ scrollHeight }) => scrollHeight)));
  await page.setViewportSize({ width, height: Math.max(height, Math.min(whole, HEIGHT_MAX)) });
  await page.screenshot({ path: join(directory, `${name}.png`) });
  await page.setViewportSize({ width, height });
}

/** One person's browser: pages share the session, as tabs do. */
export class Visitor {
  static async arrive(browser, origin) {
    const visitor = new Visitor();
    visitor.origin = origin;
    visitor.faults = [];
    visitor.allowed = [];
    const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, reducedMotion: 'reduce' });
    visitor.context = context;
    context.setDefaultTimeout(10_000);
    await context.route('**/*', (route) => {
      const url = route.request().url();
      if (new URL(url).origin === origin) return route.continue();
      visitor.faults.push(`external request: ${url}`);
      return route.abort();
    });
    await context.exposeBinding('reportViolation', (_source, text) => visitor.faults.push(`policy violation: ${text}`));
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => {
        window.reportViolation(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`);
      });
    });
    context.on('page', (page) => {
      page.on('pageerror', (error) => visitor.faults.push(`uncaught: ${error.stack ?? error.message}`));
      page.on('console', (message) => {
        if (message.type() !== 'error' && message.type() !== 'warning') return;
        const fault = `console ${message.type()}: ${message.text()} (${message.location().url})`;
        if (!visitor.allowed.some((pattern) => pattern.test(fault))) visitor.faults.push(fault);
      });
    });
    return visitor;
  }

  /** Opens a page in a new tab. */
  async open(path) {
    const page = await this.context.newPage();
    await page.goto(this.origin + path);
    return page;
  }

  /** Errors that the next steps cause on purpose; a browser logs every answer that is not ok. */
  expecting(...patterns) {
    this.allowed = patterns;
  }

  /** Closes every tab and fails if anything went wrong in one of them. */
  async leave() {
    for (const page of this.context.pages()) await page.close();
    const faults = this.faults;
    this.faults = [];
    this.allowed = [];
    assert.deepEqual(faults, []);
  }
}
