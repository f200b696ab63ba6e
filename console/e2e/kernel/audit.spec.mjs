// Journeys through Settings > Audit log.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { barriersAt } from './barriers.mjs';
import { answersOf } from './commands.mjs';
import { setStage, settled } from './stage.mjs';

const { yard, visitor } = await setStage();

const createApp = (name) => yard.api('POST', '/api/v1/apps', { name, kind: 'Server', permissions: ['ReadAccounts'] });
const entries = (page) => page.locator('section li');

describe('the audit log', () => {
  it('tells who did what, and all that is known of it', async () => {
    const app = await createApp('Lighthouse');
    const page = await visitor.open('/settings/audit');
    const line = entries(page).filter({ hasText: 'created the app Lighthouse' });
    await line.locator('summary').click();
    assert.match(await line.innerText(), new RegExp(`app\\.created[^]*${app.clientId}`));
    await line.getByRole('link', { name: 'Open the app' }).click();
    await page.getByRole('heading', { level: 1, name: 'Lighthouse' }).waitFor();
  });

  it('is narrowed by action, by who and by what, in its address', async () => {
    const app = await createApp('Buoy');
    await yard.api('POST', `/api/v1/apps/${app.clientId}/verification-token`);
    await yard.api('GET', `/api/v1/apps/${app.clientId}/verification-token`);
    const page = await visitor.open('/settings/audit');
    await page.getByLabel('Action').selectOption('app.created');
    await page.waitForURL(/action=app\.created/);
    await page.waitForFunction(() => [...document.querySelectorAll('section li')].every((line) => /created the app/.test(line.textContent)));
    await page.getByLabel('Action').selectOption('');
    const line = entries(page).filter({ hasText: 'created the app Buoy' });
    await line.locator('summary').click();
    await line.getByRole('button', { name: 'Everything about Buoy' }).click();
    await page.waitForURL(/targetId=/);
    await page.waitForFunction(() => [...document.querySelectorAll('section li summary')].every((line) => /Buoy/.test(line.textContent)));
    await entries(page).filter({ hasText: 'looked at the verification token of the app Buoy' }).waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await page.getByLabel('Search the log').fill('no such thing at all');
    await page.getByRole('heading', { name: 'Nothing in the log matches' }).waitFor();
  });

  it('is exported, as the filters say', async () => {
    await createApp('Exported');
    const page = await visitor.open('/settings/audit?action=app.created');
    await settled(page);
    for (const format of ['CSV', 'NDJSON']) {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: `Export ${format}` }).click()]);
      assert.match(download.suggestedFilename(), new RegExp(`^audit-[\\d-]{10}\\.${format.toLowerCase()}$`));
      const text = await readFile(await download.path(), 'utf8');
      assert.match(text, /app\.created/);
      if (format === 'NDJSON') for (const row of text.trim().split('\n')) assert.equal(JSON.parse(row).action, 'app.created');
    }
  });
});

describe('every command that a page shows', () => {
  it('works for the audit log', async () => {
    const page = await visitor.open('/settings/audit?action=app.created');
    await settled(page);
    const answers = await answersOf(page, yard.directory);
    assert.ok(JSON.parse(answers.get('Read these entries')).records.every(({ action }) => action === 'app.created'));
    assert.match(answers.get('Export them, CSV'), /app\.created/);
    assert.match(answers.get('Export them, NDJSON'), /"app\.created"/);
  });
});

describe('everybody', () => {
  it('meets no barrier, in light and dark, at three widths', async () => {
    for (const name of ['Ledger', 'Crane']) {
      const { clientId } = await createApp(name);
      await yard.api('POST', `/api/v1/apps/${clientId}/verification-token`);
      await yard.api('GET', `/api/v1/apps/${clientId}/verification-token`);
      await yard.api('DELETE', `/api/v1/apps/${clientId}`);
    }
    const places = [
      ['audit', '/settings/audit', async (page) => entries(page).first().locator('summary').click()],
      ['audit-narrowed', '/settings/audit?action=app.created&from=7d'],
      ['audit-nothing', '/settings/audit?q=nothing-of-the-kind'],
    ];
    assert.deepEqual(await barriersAt(visitor, places), []);
  });
});
