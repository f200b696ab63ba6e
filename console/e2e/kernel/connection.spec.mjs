// Journeys while the server comes and goes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hungUp, setStage } from './stage.mjs';
import { hook } from './yard.mjs';

const { yard, visitor } = await setStage();

describe('everybody', () => {
  it('is told when the server is away, and misses nothing when it is back', async () => {
    const team = await yard.team('Tides');
    const page = await visitor.open(team.path);
    await page.getByLabel('Message to Tides').waitFor();
    visitor.expecting(hungUp);
    await yard.halt();
    await page.getByText('Reconnecting…').waitFor();
    await yard.run(new URL(visitor.origin).host);
    await hook(team.webhook.uri, { text: 'posted before the page was back' });
    const missed = page.getByRole('article').filter({ hasText: 'posted before the page was back' });
    await missed.waitFor({ timeout: 30_000 });
    await page.getByText('Reconnecting…').waitFor({ state: 'detached' });
    await yard.say(team, 'and this one live');
    await page.getByRole('article').filter({ hasText: 'and this one live' }).waitFor();
    assert.equal(await missed.count(), 1);
  });
});
