// Journeys through Settings > Bins.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { registerInvoices } from '../endpoints/endpoint-server.mjs';
import { barriersAt } from '../kernel/barriers.mjs';
import { answersOf, run } from '../kernel/commands.mjs';
import { setStage, settled } from '../kernel/stage.mjs';

const { yard, visitor } = await setStage();
await registerInvoices(yard);

describe('a bin', () => {
  it('is lent to those who have no endpoint yet, and shows what arrives', async () => {
    const page = await visitor.open('/settings/webhooks/new');
    await page.getByRole('button', { name: 'Use a bin' }).click();
    await page.waitForFunction(() => /\/bin\//.test(document.querySelector('#endpoint-url')?.value ?? ''));
    const href = await page.getByRole('link', { name: 'Watch it in another tab' }).getAttribute('href');
    await page.getByRole('treeitem', { name: /^All events/ }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('link', { name: 'Test' }).click();
    const watch = await visitor.open(href);
    await watch.getByText('Live', { exact: true }).waitFor();

    await page.getByLabel('Event type', { exact: true }).selectOption('invoice.paid');
    await page.getByLabel('Data').fill('{"invoiceId": "inv_bin"}');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('group', { name: 'Result' }).getByText('Delivered').waitFor();
    const request = watch.getByRole('region', { name: 'Request', exact: true });
    await request.getByText('The signature is valid').waitFor();
    assert.match(await request.getByRole('region', { name: 'Body' }).innerText(), /"invoiceId": "inv_bin"/);

    await watch.getByText('What it answers').click();
    await watch.getByLabel('Status').fill('503');
    await watch.getByRole('button', { name: 'Save' }).click();
    await watch.getByText('Saved').waitFor();
    const answer = await fetch(await watch.locator('.url code').innerText(), { method: 'POST', body: 'by hand' });
    assert.equal(answer.status, 503);
    await watch.getByText('2 requests, newest first').waitFor();
  });

  it('can be had by every command that its pages show', async () => {
    const page = await visitor.open('/settings/bins');
    await settled(page);
    const made = JSON.parse((await answersOf(page, yard.directory)).get('Make a bin'));
    await page.goto(`${yard.url}/settings/bins/${made.id}`);
    const sample = page.getByRole('region', { name: 'Command that sends a request' });
    await run(await sample.textContent(), '');
    await page.getByText('1 request, newest first').waitFor();
    const answers = await answersOf(page, yard.directory);
    assert.match(answers.get('Watch it'), /ready/);
    assert.equal(JSON.parse(answers.get('Read its requests')).records[0].body, '{\n  "hello": "bin"\n}');
    assert.equal(JSON.parse(answers.get('Change its answer')).answer.status, 500);
    assert.deepEqual([answers.get('Empty it'), answers.get('Delete it')], ['', '']);
  });

  it('meets no barrier, in light and dark, at three widths', async () => {
    const bin = await yard.api('POST', '/api/v1/bins', { name: 'Scratch' });
    await fetch(bin.url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"hello": "bin"}' });
    const places = [
      ['bins', '/settings/bins'],
      ['bin', `/settings/bins/${bin.id}`],
    ];
    assert.deepEqual(await barriersAt(visitor, places), []);
  });
});
