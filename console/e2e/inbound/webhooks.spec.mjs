// Journeys through a chat's incoming webhooks.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setStage } from '../kernel/stage.mjs';
import { hook } from '../kernel/yard.mjs';

const { yard, visitor } = await setStage();

describe('incoming webhooks', () => {
  it('are made, suspended, activated and deleted from the page', async () => {
    const team = await yard.team('Hooks');
    const page = await visitor.open(team.path);
    await page.getByRole('link', { name: 'Webhooks' }).click();
    const pane = page.getByRole('complementary', { name: 'Webhooks' });
    await pane.getByText('Active').waitFor();
    assert.equal(await pane.getByText(team.webhook.uri).count(), 0);
    await pane.getByRole('button', { name: 'Reveal' }).click();
    assert.ok(await pane.getByText(team.webhook.uri, { exact: true }).isVisible());

    await pane.getByRole('button', { name: 'Suspend' }).click();
    await pane.getByText('Suspended').waitFor();
    assert.notEqual((await hook(team.webhook.uri, { text: 'while suspended' })).body.status, 'OK');
    await pane.getByRole('button', { name: 'Activate' }).click();
    await pane.getByText('Active').waitFor();
    assert.equal((await hook(team.webhook.uri, { text: 'active again' })).body.status, 'OK');
    await page.getByRole('article').filter({ hasText: 'active again' }).waitFor();
    assert.equal(await page.getByText('while suspended').count(), 0);

    await pane.getByRole('button', { name: 'New webhook' }).click();
    const command = pane.getByRole('region', { name: 'Command that posts a card' });
    await command.waitFor();
    assert.match(await command.innerText(), /^curl 'http/);
    assert.equal(await pane.getByRole('article').count(), 2);

    const old = pane.getByRole('article').filter({ hasText: team.webhook.uri });
    await old.getByRole('button', { name: 'Delete…' }).click();
    await old.getByRole('button', { name: 'Delete for good' }).click();
    await old.waitFor({ state: 'detached' });
    assert.notEqual((await hook(team.webhook.uri, { text: 'gone' })).body.status, 'OK');
  });
});
