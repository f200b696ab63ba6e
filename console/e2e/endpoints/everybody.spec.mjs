// Journeys through Settings > Webhooks with the keyboard alone, and past every barrier.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { barriersAt } from '../kernel/barriers.mjs';
import { focused, refused, setStage, settled, tabTo, until } from '../kernel/stage.mjs';
import { EndpointServer, attempts, publish, registerInvoices } from './endpoint-server.mjs';

const { yard, visitor } = await setStage();
await registerInvoices(yard);

const create = (body) => yard.api('POST', '/api/v1/endpoints', body);
const deliveriesOf = async (id, query = '') => (await yard.api('GET', `/api/v1/deliveries?endpointId=${id}${query}`)).records;

describe('everybody', () => {
  it('can add an endpoint and read a delivery with the keyboard alone', async () => {
    const server = await EndpointServer.start();
    const page = await visitor.open('/');
    await page.getByRole('link', { name: 'Settings' }).waitFor();
    await tabTo(page, /^Settings$/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Webhooks' }).waitFor();
    await settled(page);
    assert.match(await focused(page), /^Webhooks$/);
    await tabTo(page, /^Add endpoint$/, 5);
    await page.keyboard.press('Enter');
    await page.getByLabel('Endpoint', { exact: true }).waitFor();
    await tabTo(page, /^endpoint-url$/, 10);
    await page.keyboard.type(server.url);
    await tabTo(page, /^endpoint-eventTypes-search$/, 10);
    await page.keyboard.press('ArrowDown');
    // Typed letters find a branch; the arrows open it and go in; space ticks.
    await page.keyboard.type('inv');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.type('pa');
    await page.keyboard.press('Space');
    const paid = page.getByRole('treeitem', { name: /invoice\.paid/ });
    assert.equal(await paid.getAttribute('aria-checked'), 'true');
    assert.equal(await paid.evaluate((item) => item === document.activeElement), true);
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-checked')), 'mixed');
    await tabTo(page, /^Save$/, 10);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: server.url }).waitFor();

    await publish(yard, 'invoice.paid', { by: 'keyboard' });
    await until('it arrives', () => server.requests.length === 1);
    await tabTo(page, /^Deliveries$/, 12);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'invoice.paid' }).waitFor();
    await tabTo(page, /^invoice\.paid$/);
    await page.keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'Delivery' }).waitFor();
    assert.equal(await focused(page), 'Delivery');
    await page.keyboard.press('Escape');
    await page.getByRole('complementary', { name: 'Delivery' }).waitFor({ state: 'detached' });
    assert.equal(await focused(page), 'invoice.paid');
  });

  it('meets no barrier, in light and dark, at three widths', async () => {
    const [well, failing] = [await EndpointServer.start(), await EndpointServer.start({ status: 503, body: '{"error": "down for maintenance"}' })];
    const good = await create({ url: well.url, description: 'Accounting', eventTypes: ['invoice.*', 'payment.succeeded'], headers: { 'X-Tenant': 'acme' }, failureThreshold: 0, ...attempts(2) });
    for (const [status, count] of [[200, 9], [503, 3], [429, 1], [200, 5]]) {
      well.answer = { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ status }) };
      const before = well.requests.length;
      for (let n = 0; n < count; n += 1) await publish(yard, n % 3 === 2 ? 'payment.succeeded' : 'invoice.created', { invoiceId: `inv_${before + n}`, amount: 1284 });
      await until('it is settled', async () => (await deliveriesOf(good.id, '&status=waiting')).length === 0);
    }
    const bad = await create({ url: failing.url, description: 'CRM', eventTypes: ['invoice.paid'], failureThreshold: 2, ...attempts(3) });
    for (let n = 0; n < 3; n += 1) await publish(yard, 'invoice.paid', { n });
    await until('one is errored', async () => (await yard.api('GET', `/api/v1/endpoints/${bad.id}`)).status === 'Errored');
    const [delivery] = await deliveriesOf(bad.id);
    const base = '/settings/webhooks';
    const deaf = await EndpointServer.start();
    deaf.echoes = false;
    visitor.expecting(refused(400));
    const failHandshake = async (page) => {
      await page.getByLabel('Endpoint', { exact: true }).fill(deaf.url);
      await page.getByRole('treeitem', { name: /^All events/ }).click();
      await page.getByText('Advanced').click();
      await page.getByLabel('Handshake').selectOption('echo');
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('heading', { name: 'The handshake failed' }).waitFor();
    };
    const sendTest = async (page) => {
      await page.getByRole('button', { name: 'Send', exact: true }).click();
      await page.getByRole('group', { name: 'Result' }).getByText('Delivered').waitFor();
    };
    const places = [
      ['list', base],
      ['new', `${base}/new`, async (page) => page.getByText('Advanced').click()],
      ['handshake', `${base}/new`, failHandshake],
      ['overview', `${base}/${good.id}`],
      ['errored', `${base}/${bad.id}?range=7d`],
      ['deliveries', `${base}/${good.id}/deliveries`],
      ['delivery', `${base}/${bad.id}/deliveries/${delivery.id}`],
      ['test', `${base}/${good.id}/test`],
      ['tested', `${base}/${good.id}/test`, sendTest],
      ['settings', `${base}/${good.id}/settings`],
      ['rotating', `${base}/${good.id}/settings`, async (page) => page.getByRole('button', { name: 'Rotate…' }).click()],
      ['curl', base, async (page) => page.getByText('Do this with curl').click()],
    ];
    const barriers = await barriersAt(visitor, places.map(([name, path, act]) => [`webhooks-${name}`, path, act]));
    assert.deepEqual(barriers, []);
  });
});
