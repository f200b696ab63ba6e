// Journeys through Settings > Credentials.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { barriersAt } from '../kernel/barriers.mjs';
import { answersOf } from '../kernel/commands.mjs';
import { setStage, settled } from '../kernel/stage.mjs';
import { Visitor } from '../kernel/visitor.mjs';

const { browser, yard, visitor } = await setStage();

const create = (body) => yard.api('POST', '/api/v1/credentials', { kind: 'PersonalAccessToken', permissions: ['ReadAccounts'], ...body });
const statusWith = async (token) => (await fetch(`${yard.url}/api/v1/me`, { headers: { Authorization: `Bearer ${token}` } })).status;

describe('a credential', () => {
  it('is made for one program, works, and ends when it is revoked', async () => {
    const page = await visitor.open('/settings/credentials');
    await page.getByRole('button', { name: 'New credential' }).click();
    await page.getByRole('button', { name: 'Make the credential' }).click();
    await page.waitForFunction(() => document.activeElement?.id === 'credential-name');
    await page.getByLabel('Name').fill('Nightly backup');
    await page.getByLabel('ReadAccounts').check();
    await page.getByLabel('Ends').selectOption('30');
    await page.getByRole('button', { name: 'Make the credential' }).click();
    await page.getByRole('heading', { name: 'Nightly backup is ready' }).waitFor();
    const token = await page.getByRole('group', { name: 'token' }).locator('code').innerText();
    assert.match(token, /^hyp_/);
    assert.equal(await statusWith(token), 200);
    await page.getByRole('button', { name: /go to the list/ }).click();
    const line = page.getByRole('list', { name: 'Credentials', exact: true }).getByRole('listitem').filter({ hasText: 'Nightly backup' });
    await line.waitFor();
    assert.equal(await page.getByText(token).count(), 0, 'the token is gone');

    await line.locator('summary').click();
    await line.getByText('ReadAccounts', { exact: true }).waitFor();
    await line.getByRole('button', { name: 'Rename…' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Weekly backup');
    await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
    const renamed = page.getByRole('listitem').filter({ hasText: 'Weekly backup' });
    await renamed.waitFor();
    await renamed.getByRole('button', { name: 'Revoke…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke for good' }).click();
    await page.getByRole('list', { name: 'Ended credentials' }).getByText('Revoked').first().waitFor();
    assert.equal(await statusWith(token), 401);

    const ended = page.getByRole('list', { name: 'Ended credentials' }).getByRole('listitem').filter({ hasText: 'Weekly backup' });
    if (!(await ended.getByRole('button', { name: 'Delete…' }).isVisible())) await ended.locator('summary').click();
    await ended.getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete for good' }).click();
    await ended.waitFor({ state: 'detached' });
  });

  it('for an app is traded for a session', async () => {
    const app = await yard.api('POST', '/api/v1/apps', { name: 'Ledger', kind: 'Server', permissions: ['TeamMessaging'] });
    const page = await visitor.open('/settings/credentials/new');
    await page.getByRole('radio', { name: 'JWT credential' }).check();
    await page.getByLabel('Name').fill('For the ledger');
    await page.getByLabel('App', { exact: true }).selectOption(app.clientId);
    assert.equal(await page.getByLabel('TeamMessaging').count(), 0, 'it gets what the app may do');
    await page.getByRole('button', { name: 'Make the credential' }).click();
    await page.getByRole('heading', { name: 'For the ledger is ready' }).waitFor();
    const assertion = await page.getByRole('group', { name: 'credential' }).locator('code').innerText();
    const response = await fetch(`${yard.url}/restapi/oauth/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
    });
    assert.equal(response.status, 200);
  });
});

describe('whose they are', () => {
  it('is everybody’s own business, also of those who administer nothing', async () => {
    await yard.api('POST', '/restapi/v1.0/account/~/extension', { contact: { firstName: 'Grace', lastName: 'Hopper', email: 'grace@harbour.example' }, password: 'a long enough one' });
    const member = await Visitor.arrive(browser, yard.url);
    const page = await member.open('/settings');
    await page.getByLabel('E-mail').fill('grace@harbour.example');
    await page.getByLabel('Password').fill('a long enough one');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Credentials' }).waitFor();
    const menu = page.getByRole('navigation', { name: 'Settings' });
    assert.deepEqual(await menu.getByRole('link').allInnerTexts(), ['Chats', 'Credentials']);
    await page.getByRole('button', { name: 'New credential' }).click();
    await page.getByLabel('Name').fill('My script');
    await page.getByLabel('TeamMessaging').check();
    await page.getByRole('button', { name: 'Make the credential' }).click();
    const token = await page.getByRole('group', { name: 'token' }).locator('code').innerText();
    const me = await fetch(`${yard.url}/api/v1/me`, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal((await me.json()).person.name, 'Grace Hopper');
    await page.goto(`${yard.url}/settings/apps`);
    await page.getByRole('heading', { name: 'This page is for administrators' }).waitFor();
    await member.leave();
    await member.context.close();
  });
});

describe('every command that a page shows', () => {
  it('works for credentials', async () => {
    await create({ name: 'To be revoked' });
    const page = await visitor.open('/settings/credentials');
    await settled(page);
    const answers = await answersOf(page, yard.directory);
    assert.match(JSON.parse(answers.get('Make a personal access token')).token, /^hyp_/);
    assert.ok(JSON.parse(answers.get('List credentials')).records.length > 0);
    assert.ok(answers.has('Revoke the first'));
    await page.goto(`${yard.url}/settings/credentials/new`);
    await page.getByLabel('Name').fill("The ledger's");
    await page.getByLabel('ReadAccounts').check();
    assert.equal(JSON.parse((await answersOf(page, yard.directory)).get('Make this credential')).name, "The ledger's");
  });
});

describe('everybody', () => {
  it('meets no barrier, in light and dark, at three widths', async () => {
    const soon = new Date(Date.now() + 2 * 86_400_000).toISOString();
    await create({ name: 'Reports', permissions: ['ReadAccounts', 'ReadMessages', 'ReadCallLog'], expirationTime: soon });
    await create({ kind: 'Jwt', name: 'Dashboard', permissions: undefined });
    const gone = await create({ name: 'Old script' });
    await yard.api('POST', `/api/v1/credentials/${gone.id}/revoke`);
    const places = [
      ['credentials', '/settings/credentials', async (page) => page.locator('summary').filter({ hasText: 'Reports' }).click()],
      ['credential-new', '/settings/credentials/new'],
      ['credential-revoking', '/settings/credentials', async (page) => {
        const line = page.getByRole('listitem').filter({ hasText: 'Dashboard' });
        await line.locator('summary').click();
        await line.getByRole('button', { name: 'Revoke…' }).click();
      }],
      ['credential-made', '/settings/credentials/new', async (page) => {
        await page.getByLabel('Name').fill('Picture');
        await page.getByLabel('ReadPresence').check();
        await page.getByRole('button', { name: 'Make the credential' }).click();
        await page.getByRole('heading', { name: 'Picture is ready' }).waitFor();
      }],
    ];
    assert.deepEqual(await barriersAt(visitor, places), []);
  });
});
