// Journeys through Settings > Server status.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { barriersAt } from './barriers.mjs';
import { answersOf } from './commands.mjs';
import { setStage, settled } from './stage.mjs';

const { yard, visitor } = await setStage();

describe('the status of the server', () => {
  it('is there for the first administrator, and moves', async () => {
    const page = await visitor.open('/');
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'Server status' }).click();
    await page.getByRole('heading', { level: 1, name: 'Server status' }).waitFor();
    await settled(page);
    const figures = page.getByLabel('At a glance');
    const { version } = await yard.api('GET', '/api/v1/status');
    assert.ok((await figures.innerText()).includes(version));
    assert.ok((await page.getByRole('list', { name: 'Parts of the server' }).getByRole('listitem').count()) > 0);
    await page.getByRole('region', { name: 'Writing' }).getByText(/commits a second/).waitFor({ timeout: 15_000 });
  });
});

describe('every command that a page shows', () => {
  it('works for the status', async () => {
    const page = await visitor.open('/settings/status');
    await settled(page);
    assert.ok(JSON.parse((await answersOf(page, yard.directory)).get('Read the status')).uptimeSeconds >= 0);
  });
});

describe('everybody', () => {
  it('meets no barrier, in light and dark, at three widths', async () => {
    // Two looks, so that there is something to draw.
    const wait = (page) => page.getByRole('region', { name: 'Writing' }).getByText(/commits a second/).waitFor({ timeout: 15_000 });
    assert.deepEqual(await barriersAt(visitor, [['status', '/settings/status', wait]]), []);
  });
});
