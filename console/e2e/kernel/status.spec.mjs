// Journeys through Settings > Server status.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { barriersAt } from './barriers.mjs';
import { setStage, until } from './stage.mjs';
import { hook } from './yard.mjs';

const { yard, visitor } = await setStage();

describe('an operator', () => {
  it('sees how the server is, and that it goes on', async () => {
    const page = await visitor.open('/settings/status');
    await page.getByRole('heading', { level: 1, name: 'Server status' }).waitFor();
    const glance = page.getByLabel('At a glance');
    await glance.getByText('Commits').waitFor();
    await page.getByText('Well', { exact: true }).waitFor();
    await page.getByLabel('Parts of the server').getByText('Dispatcher').waitFor();
    const commits = async () => Number((await glance.locator('div', { hasText: /^Commits/ }).locator('dd').first().textContent()).replaceAll(',', ''));
    const before = await commits();
    const { webhook } = await yard.team('Status');
    await hook(webhook.uri, { text: 'One more' });
    await until('the page has looked again', async () => (await commits()) > before);
  });

  it('reads what an unwell part says', async () => {
    const page = await visitor.open('/');
    await page.route('**/api/v1/status', async (route) => {
      const answer = await route.fetch();
      const status = await answer.json();
      status.components[0] = { ...status.components[0], state: 'failing', lastError: 'the disk is full' };
      status.panics = 2;
      status.store.commits = null;
      await route.fulfill({ response: answer, json: status });
    });
    await page.goto(`${visitor.origin}/settings/status`);
    await page.getByText('Needs a look').waitFor();
    await page.getByText('the disk is full').waitFor();
    const commits = page.getByLabel('At a glance').locator('div', { hasText: /^Commits/ }).locator('dd').first();
    assert.equal(await commits.textContent(), '–', 'what is not known is not made up');
  });

  it('meets no barrier there, in light and dark, at three widths', async () => {
    assert.deepEqual(await barriersAt(visitor, [['status', '/settings/status']]), []);
  });
});

describe('who is none', () => {
  it('is told who may look, and sees no way there', async () => {
    const page = await visitor.open('/');
    await page.route('**/api/v1/me', async (route) => {
      const answer = await route.fetch();
      const me = await answer.json();
      me.person.operator = false;
      await route.fulfill({ response: answer, json: me });
    });
    await page.goto(`${visitor.origin}/settings/status`);
    await page.getByRole('heading', { name: 'This page is for operators' }).waitFor();
    await page.getByText('hookyard admin grant-operator').waitFor();
    assert.equal(await page.getByRole('link', { name: 'Server status' }).count(), 0);
  });
});
