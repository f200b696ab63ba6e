// Journeys through Settings > Developers: apps, and what programs act with.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { barriersAt } from '../kernel/barriers.mjs';
import { refused, setStage, settled } from '../kernel/stage.mjs';

const { yard, visitor } = await setStage();

/** What the token endpoint says to an app with this secret and a JWT credential. */
async function tokenWith(clientId, secret, assertion) {
  const answer = await fetch(`${yard.url}/restapi/oauth/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
  });
  return answer.status;
}

const me = async (token) => (await fetch(`${yard.url}/restapi/v1.0/account/~/extension/~`, { headers: { Authorization: `Bearer ${token}` } })).status;

/** The text of the secret that is shown this once. */
const shownOnce = (page, noun) => page.getByRole('group', { name: noun, exact: true }).locator('code').textContent();

describe('an administrator', () => {
  it('makes an app, copies its secret once, changes it and deletes it', async () => {
    const page = await visitor.open('/settings/apps');
    await page.getByRole('heading', { level: 1, name: 'Apps' }).waitFor();
    await page.getByRole('button', { name: 'New app' }).click();
    await page.getByRole('button', { name: 'Make the app' }).click();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'app-name', 'what is missing has the focus');
    await page.getByLabel('Name', { exact: true }).fill('Ledger');
    await page.getByLabel('TeamMessaging', { exact: true }).check();
    await page.getByLabel('SubscriptionWebhook', { exact: true }).check();
    await page.getByRole('button', { name: 'Make the app' }).click();
    await page.getByRole('heading', { name: 'Ledger is ready' }).waitFor();
    const clientId = await shownOnce(page, 'client id');
    const first = await shownOnce(page, 'client secret');
    await page.getByRole('button', { name: 'I have copied it: open the app' }).click();
    await page.getByRole('heading', { level: 1, name: 'Ledger' }).waitFor();
    assert.equal((await page.content()).includes(first), false, 'the secret is not told again');

    await page.getByRole('link', { name: 'Secrets' }).click();
    await page.getByRole('button', { name: 'Make a second secret' }).click();
    await page.getByRole('heading', { name: 'The new secret is ready' }).waitFor();
    const second = await shownOnce(page, 'client secret');
    assert.notEqual(first, second);
    await page.getByRole('button', { name: 'Generate a token' }).click();
    await page.getByRole('group', { name: 'The token' }).getByRole('button', { name: 'Hide' }).waitFor();
    await page.getByRole('button', { name: 'Remove the old one' }).or(page.getByRole('button', { name: /^Remove….*the secret that ends in/ }).first()).first().click();
    await page.getByRole('button', { name: 'Remove for good' }).click();
    await page.getByRole('button', { name: 'Make a second secret' }).waitFor();
    const { token: jwt } = await yard.api('POST', '/api/v1/credentials', { kind: 'Jwt', name: 'Ledger', clientId });
    assert.deepEqual([await tokenWith(clientId, first, jwt), await tokenWith(clientId, second, jwt)], [401, 200], 'the old one opens nothing');

    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('button', { name: 'Delete for good' }).click();
    await page.getByRole('heading', { level: 1, name: 'Apps' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Ledger' }).count(), 0);
    assert.equal(await tokenWith(clientId, second, jwt), 401);
  });

  it('is told what is wrong with an address, at its field', async () => {
    const page = await visitor.open('/settings/apps/new');
    visitor.expecting(refused(400));
    await page.getByLabel('Name', { exact: true }).fill('Astray');
    await page.getByLabel('TeamMessaging', { exact: true }).check();
    await page.getByLabel('Redirect URIs').fill('javascript:alert(1)');
    await page.getByRole('button', { name: 'Make the app' }).click();
    await page.locator('#app-redirectUris-error').waitFor();
    assert.deepEqual((await yard.api('GET', '/api/v1/apps')).records.filter(({ name }) => name === 'Astray'), []);
  });

  it('finds the built-in app, and no way to change it', async () => {
    const page = await visitor.open('/settings/apps');
    await page.getByText('Built in').first().waitFor();
    const builtIn = (await yard.api('GET', '/api/v1/apps')).records.find((app) => app.builtIn);
    await page.getByRole('link', { name: builtIn.name, exact: true }).click();
    await page.getByText('It is part of Hookyard').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Delete…' }).count(), 0);
  });
});

describe('a person', () => {
  it('makes a personal access token, uses it, and revokes it', async () => {
    const page = await visitor.open('/settings/credentials');
    await page.getByRole('button', { name: 'New credential' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Backups');
    await page.getByLabel('ReadAccounts', { exact: true }).check();
    await page.getByRole('button', { name: 'Make the credential' }).click();
    await page.getByRole('heading', { name: 'Backups is ready' }).waitFor();
    const token = await shownOnce(page, 'token');
    assert.match(token, /^hyp_/);
    assert.equal(await me(token), 200);
    await page.getByRole('button', { name: 'I have copied it: go to the list' }).click();
    await page.getByText('Backups').click();
    await page.getByRole('button', { name: 'Revoke…' }).click();
    await page.getByRole('button', { name: 'Revoke for good' }).click();
    await page.getByRole('heading', { name: 'Ended' }).waitFor();
    assert.equal(await me(token), 401, 'it opens nothing any more');
  });

  it('generates a verification token for an endpoint', async () => {
    const page = await visitor.open('/settings/webhooks/new');
    await page.getByRole('button', { name: /^Generate/ }).or(page.getByText('Advanced')).first().click();
    const generate = page.getByRole('button', { name: 'Generate a verification token' });
    await generate.click();
    const token = await page.getByLabel('Verification token').inputValue();
    assert.ok(token.length >= 32, token);
    await page.getByRole('button', { name: 'Copy token' }).waitFor();
  });
});

describe('everybody', () => {
  it('meets no barrier there, in light and dark, at three widths', async () => {
    const { clientId } = await yard.api('POST', '/api/v1/apps', { name: 'A program with a rather long name, as some have', kind: 'Server', permissions: ['TeamMessaging'] });
    await yard.api('POST', '/api/v1/credentials', { kind: 'PersonalAccessToken', name: 'Nightly', permissions: ['ReadAccounts'], expiresIn: 86_400 });
    const places = [
      ['apps', '/settings/apps'],
      ['new-app', '/settings/apps/new'],
      ['app', `/settings/apps/${clientId}`],
      ['app-secrets', `/settings/apps/${clientId}/secrets`],
      ['app-settings', `/settings/apps/${clientId}/settings`],
      ['credentials', '/settings/credentials'],
      ['new-credential', '/settings/credentials/new'],
    ];
    assert.deepEqual(await barriersAt(visitor, places, { ready: settled }), []);
  });
});
