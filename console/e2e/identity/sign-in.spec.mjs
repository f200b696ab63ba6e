// Journeys in and out: one-time links, passwords, and what a session leaves behind.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { refused, setStage } from '../kernel/stage.mjs';
import { Visitor } from '../kernel/visitor.mjs';

const { browser, yard, visitor } = await setStage({ signedIn: false });

describe('the door', () => {
  it('sends a stranger with a deep link to the sign-in page', async () => {
    const page = await visitor.open('/chats/1?pane=webhooks');
    await page.getByRole('heading', { name: 'Sign in to Hookyard' }).waitFor();
    assert.equal(new URL(page.url()).pathname, '/sign-in');
    assert.equal(await page.getByRole('navigation').count(), 0);
  });

  it('explains a wrong password and keeps the door shut', async () => {
    visitor.expecting(refused('4\\d\\d'));
    const page = await visitor.open('/sign-in');
    await page.getByLabel('E-mail').fill('nobody@example.com');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /E-mail or password is wrong/);
    assert.equal(await page.getByLabel('Password').inputValue(), '');
  });

  it('opens once for a one-time link, and forgets its secret at once', async () => {
    const link = new URL(yard.credentials.HOOKYARD_CONSOLE_URL);
    assert.match(link.hash, /^#code=.{16,}/);
    const page = await visitor.open(link.pathname + link.hash);
    await page.getByRole('navigation', { name: 'Chats' }).waitFor();
    assert.equal(new URL(page.url()).hash, '');
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state]));
    assert.doesNotMatch(kept, new RegExp(link.hash.slice('#code='.length)));
    assert.doesNotMatch(kept, /token/i);

    visitor.expecting(refused('4\\d\\d'));
    const stranger = await Visitor.arrive(browser, yard.url);
    stranger.expecting(refused('4\\d\\d'));
    const second = await stranger.open(link.pathname + link.hash);
    await second.getByRole('alert').waitFor();
    assert.match(await second.getByRole('alert').innerText(), /used already/);
    await stranger.leave();
    await stranger.context.close();
  });

  it('stays open when the page is loaded again', async () => {
    const page = await visitor.open('/');
    await page.getByRole('navigation', { name: 'Chats' }).waitFor();
    await page.reload();
    await page.getByRole('navigation', { name: 'Chats' }).waitFor();
  });

  it('shuts behind somebody who signs out', async () => {
    const page = await visitor.open('/');
    await page.getByRole('navigation', { name: 'Chats' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to Hookyard' }).waitFor();
    await page.goto(`${yard.url}/chats/1`);
    await page.getByRole('heading', { name: 'Sign in to Hookyard' }).waitFor();
    const cookies = await visitor.context.cookies();
    assert.deepEqual(cookies.filter(({ value }) => value !== ''), []);
  });
});
