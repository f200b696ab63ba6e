// Journeys through Settings > Apps.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { barriersAt } from '../kernel/barriers.mjs';
import { answersOf } from '../kernel/commands.mjs';
import { refused, setStage, settled } from '../kernel/stage.mjs';

const { yard, visitor } = await setStage();

const create = (body = {}) => yard.api('POST', '/api/v1/apps', { name: 'Ledger', kind: 'Server', permissions: ['TeamMessaging', 'SubscriptionWebhook'], ...body });
const read = (id) => yard.api('GET', `/api/v1/apps/${id}`);

/** Signs in as a program does, and returns the status of the answer. */
async function tryToken({ clientId }, secret) {
  const response = await fetch(`${yard.url}/restapi/oauth/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: await assertion() }),
  });
  return response.status;
}

let made;
/** A credential that any app of the account can trade. */
async function assertion() {
  made ??= (await yard.api('POST', '/api/v1/credentials', { kind: 'Jwt', name: 'Journeys' })).token;
  return made;
}

describe('an app', () => {
  it('is made with permissions, and shows its secret once', async () => {
    const page = await visitor.open('/settings/apps');
    await page.getByRole('button', { name: 'New app' }).click();
    await page.getByRole('button', { name: 'Make the app' }).click();
    await page.waitForFunction(() => document.activeElement?.id === 'app-name');
    await page.getByLabel('Name').fill('Harbour master');
    await page.getByLabel('TeamMessaging').check();
    await page.getByLabel('SubscriptionWebhook').check();
    await page.getByLabel('Redirect URIs').fill('http://harbour.example/in');
    await page.getByRole('button', { name: 'Make the app' }).click();
    await page.getByText('must use https').waitFor();
    await page.getByLabel('Redirect URIs').fill('https://harbour.example/in');
    await page.getByRole('button', { name: 'Make the app' }).click();
    await page.getByRole('heading', { name: 'Harbour master is ready' }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Harbour master is ready');
    const secret = await page.getByRole('group', { name: 'client secret' }).locator('code').innerText();
    const clientId = await page.getByRole('group', { name: 'client id' }).locator('code').innerText();
    assert.match(await page.getByRole('region', { name: 'Harbour master is ready' }).innerText(), /shown this once/);

    const app = await read(clientId);
    assert.deepEqual([app.permissions, app.redirectUris], [['TeamMessaging', 'SubscriptionWebhook'], ['https://harbour.example/in']]);
    assert.equal(await tryToken(app, secret), 200);
    await page.getByRole('button', { name: /open the app/ }).click();
    await page.getByRole('heading', { level: 1, name: 'Harbour master' }).waitFor();
    assert.equal(await page.getByText(secret).count(), 0, 'the secret is gone');
  });

  it('in a browser has no secret', async () => {
    const page = await visitor.open('/settings/apps/new');
    await page.getByLabel('Name').fill('Timetable');
    await page.getByRole('radio', { name: 'Browser or mobile' }).check();
    await page.getByLabel('Redirect URIs').fill('com.example.timetable:/in');
    await page.getByRole('button', { name: 'Make the app' }).click();
    await page.getByText('It has no secret: people sign in to it with PKCE.').waitFor();
    await page.getByRole('link', { name: 'Secrets' }).click();
    await page.getByText('cannot keep one').waitFor();
    assert.equal(await page.getByRole('list', { name: 'Client secrets' }).count(), 0);
  });

  it('changes its secret without a gap, step by step', async () => {
    const app = await create({ name: 'Crane' });
    const page = await visitor.open(`/settings/apps/${app.clientId}/secrets`);
    const panel = page.getByRole('region', { name: 'Client secret', exact: true });
    const step = panel.locator('[aria-current="step"]');
    assert.match(await step.innerText(), /Make a second secret/);
    await panel.getByRole('button', { name: 'Make a second secret' }).click();
    await page.getByRole('heading', { name: 'The new secret is ready' }).waitFor();
    const next = await page.getByRole('group', { name: 'client secret' }).locator('code').innerText();
    await page.getByRole('button', { name: 'I have copied it' }).click();
    assert.match(await step.innerText(), /Put it into your program[^]*was not used yet/);
    assert.equal(await panel.getByRole('list', { name: 'Client secrets' }).getByRole('listitem').count(), 2);
    assert.deepEqual([await tryToken(app, app.clientSecret), await tryToken(app, next)], [200, 200]);

    await page.reload();
    await panel.locator('[aria-current="step"]', { hasText: 'Remove the old one' }).waitFor();
    await panel.getByRole('button', { name: 'Remove the old one…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove for good' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await panel.locator('[aria-current="step"]', { hasText: 'Make a second secret' }).waitFor();
    assert.notEqual(await tryToken(app, app.clientSecret), 200);
    assert.equal(await tryToken(app, next), 200);
  });

  it('has a verification token and an outbound secret that can be shown again', async () => {
    const app = await create({ name: 'Pilot', outboundUrl: 'https://pilot.example/actions' });
    const page = await visitor.open(`/settings/apps/${app.clientId}/secrets`);
    const verification = page.getByRole('region', { name: 'Verification token' });
    await verification.getByRole('button', { name: 'Generate a token' }).click();
    const shown = verification.getByRole('group', { name: 'The token' }).locator('code');
    await page.waitForFunction(() => /^[\w-]{16,}/.test(document.querySelector('[aria-label="The token"] code')?.textContent ?? ''));
    const first = await shown.innerText();
    await verification.getByRole('button', { name: 'Hide' }).click();
    assert.doesNotMatch(await shown.innerText(), /\w/);
    await verification.getByRole('button', { name: 'Show' }).click();
    await page.getByText(first, { exact: true }).waitFor();
    await verification.getByRole('button', { name: 'Replace…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Replace', exact: true }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.notEqual(await shown.innerText(), first);
    await verification.getByRole('button', { name: 'Remove…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await verification.getByText('There is none').waitFor();

    const outbound = page.getByRole('region', { name: 'Outbound secret' });
    await outbound.getByRole('button', { name: 'Show' }).click();
    await outbound.getByRole('button', { name: 'Copy secret' }).waitFor();
    const before = await outbound.locator('code').last().innerText();
    await outbound.getByRole('button', { name: 'Rotate…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate', exact: true }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.notEqual(await outbound.locator('code').last().innerText(), before);
  });

  it('takes public keys, and never private ones', async () => {
    const app = await create({ name: 'Signer' });
    const page = await visitor.open(`/settings/apps/${app.clientId}/settings`);
    const { publicKey, privateKey } = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
    const [open, secret] = await Promise.all([publicKey, privateKey].map((key) => crypto.subtle.exportKey('jwk', key)));
    const box = page.getByLabel('Public keys');
    await box.fill(JSON.stringify({ kty: secret.kty, crv: secret.crv, x: secret.x, d: secret.d }));
    await page.getByText('belongs to a private key').waitFor();
    await box.fill(JSON.stringify({ kty: open.kty, crv: open.crv, x: open.x, kid: 'pier' }));
    await page.getByRole('list', { name: 'Keys that were read' }).getByText('OKP, Ed25519').waitFor();
    await page.getByLabel('CallControl').check();
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
    const changed = await read(app.clientId);
    assert.deepEqual(changed.publicKeys.keys, [{ kty: open.kty, crv: open.crv, x: open.x, kid: 'pier' }]);
    assert.ok(changed.permissions.includes('CallControl'));
  });

  it('says what ends with it, and is then gone', async () => {
    const app = await create({ name: 'Tug' });
    visitor.expecting(refused(404));
    const page = await visitor.open(`/settings/apps/${app.clientId}`);
    await page.getByRole('button', { name: 'Delete…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete Tug?' });
    assert.match(await dialog.innerText(), /secrets stop working at once/);
    await dialog.getByRole('button', { name: 'Delete for good' }).click();
    await page.getByText('The app was deleted').waitFor();
    await page.goto(`${yard.url}/settings/apps/${app.clientId}`);
    await page.getByRole('heading', { name: 'This app does not exist' }).waitFor();
  });

  it('that is built in can only be looked at', async () => {
    const page = await visitor.open('/settings/apps/hookyard-console');
    await page.getByText('part of Hookyard').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Delete…' }).count(), 0);
    assert.equal(await page.getByRole('navigation', { name: 'App', exact: true }).getByRole('link').count(), 1);
  });
});

describe('every command that a page shows', () => {
  it('works for apps', async () => {
    const page = await visitor.open('/settings/apps');
    await settled(page);
    const listed = await answersOf(page, yard.directory);
    const app = JSON.parse(listed.get('Make an app'));
    assert.ok(JSON.parse(listed.get('List apps')).records.length > 0);
    await page.goto(`${yard.url}/settings/apps/${app.clientId}/secrets`);
    await settled(page);
    const secrets = await answersOf(page, yard.directory);
    assert.notEqual(JSON.parse(secrets.get('Make a second secret')).clientSecret, app.clientSecret);
    assert.notEqual(JSON.parse(secrets.get('Generate a verification token, or replace it')).verificationToken, '');
    await page.goto(`${yard.url}/settings/apps/${app.clientId}/settings`);
    await page.getByLabel('Name').fill('By hand');
    assert.equal(JSON.parse((await answersOf(page, yard.directory)).get('Change this app')).name, 'By hand');
    await page.goto(`${yard.url}/settings/apps/${app.clientId}`);
    await settled(page);
    const overview = await answersOf(page, yard.directory);
    assert.equal(JSON.parse(overview.get('Read this app')).clientId, app.clientId);
    assert.equal(overview.get('Delete this app'), '');
  });
});

describe('everybody', () => {
  it('meets no barrier, in light and dark, at three widths', async () => {
    const app = await create({
      name: 'Harbour ledger',
      permissions: ['ReadAccounts', 'TeamMessaging', 'SubscriptionWebhook', 'PublishEvents', 'CallControl'],
      redirectUris: ['https://ledger.example/signed-in', 'com.example.ledger:/in'],
      outboundUrl: 'https://ledger.example/actions',
    });
    const base = `/settings/apps/${app.clientId}`;
    await yard.api('POST', `/api/v1/apps/${app.clientId}/verification-token`);
    await yard.api('POST', `/api/v1/apps/${app.clientId}/secrets`);
    const fill = async (page) => {
      await page.getByRole('button', { name: 'Make the app' }).click();
      await page.getByText('Say what the app is called').waitFor();
    };
    const places = [
      ['apps', '/settings/apps'],
      ['app-new', '/settings/apps/new', fill],
      ['app', base],
      ['app-secrets', `${base}/secrets`],
      ['app-settings', `${base}/settings`],
      ['app-deleting', base, async (page) => page.getByRole('button', { name: 'Delete…' }).click()],
    ];
    assert.deepEqual(await barriersAt(visitor, places), []);
  });
});
