// Journeys through the reference of the API, which the server makes of its own description.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { barriersAt } from './barriers.mjs';
import { setStage } from './stage.mjs';

const { visitor } = await setStage({ signedIn: false });

describe('an integrator', () => {
  it('finds an operation by words, and reads what it takes and answers', async () => {
    const page = await visitor.open('/docs/api');
    await page.getByText(/^\d{3} operations$/).waitFor();
    await page.getByLabel('Search operations').fill('post bins');
    await page.getByText(/^\d{1,2} operations$/).waitFor();
    await page.locator('summary:visible').filter({ hasText: 'Makes a bin' }).click();
    const bins = page.locator('#createBin');
    await bins.getByRole('heading', { name: 'Body' }).waitFor();
    await bins.getByText('curl -X POST').waitFor();
    await bins.getByText('201', { exact: true }).click();
    await bins.getByRole('cell', { name: 'url', exact: true }).nth(1).waitFor();
  });

  it('comes by a link to one operation, and finds it by a code', async () => {
    const page = await visitor.open('/docs/api#createEndpoint');
    await page.getByRole('cell', { name: 'retryPolicy', exact: true }).waitFor();
    await page.getByLabel('Search operations').fill('SUB-505');
    await page.getByRole('link', { name: /subscription/i }).first().waitFor();
    assert.equal(await page.getByRole('link', { name: 'Makes a bin', exact: true }).isVisible(), false);
  });

  it('meets no barrier there, in light and dark, at three widths', async () => {
    const read = async (page) => {
      await page.getByText(/^\d{3} operations$/).waitFor();
    };
    const opened = async (page) => {
      await read(page);
      await page.locator('summary').filter({ hasText: '/api/v1/bins' }).first().click();
    };
    const barriers = await barriersAt(visitor, [
      ['reference', '/docs/api', read],
      ['reference-operation', '/docs/api', opened],
    ]);
    assert.deepEqual(barriers, []);
  });
});
