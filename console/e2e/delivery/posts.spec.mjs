// Journeys along a post's way, from the request that made it to each attempt to deliver it.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { refused, setStage } from '../kernel/stage.mjs';
import { hook } from '../kernel/yard.mjs';
import { buildCard } from '../messaging/cards.mjs';
import { Receiver } from '../subscriptions/receiver.mjs';

const { yard, visitor } = await setStage();

describe('where a post went', () => {
  let receivers = [];
  const subscribe = async (answer) => {
    const receiver = await Receiver.subscribe(yard, answer);
    receivers.push(receiver);
    return receiver;
  };
  /** The line of the delivery to a receiver's subscription, in a pane. */
  const went = (pane, word) => pane.getByRole('region', { name: 'Where it went' }).getByRole('listitem').filter({ has: pane.page().locator('summary', { hasText: word }) });

  afterEach(async () => {
    await Promise.all(receivers.map((receiver) => receiver.leave()));
    receivers = [];
  });

  it('is told from the request to each attempt', async () => {
    const open = await subscribe({ status: 200 });
    const gone = await subscribe({ status: 410, body: '<b id="excerpt">closed for good</b>' });
    const team = await yard.team('Deliveries');
    await hook(team.webhook.uri, { ...buildCard, surprise: 1 });
    const page = await visitor.open(team.path);
    await page.getByRole('link', { name: 'via webhook' }).click();
    const pane = page.getByRole('complementary', { name: 'Details' });
    assert.match(await pane.getByRole('region', { name: 'Event' }).innerText(), /PostAdded/);

    const delivered = went(pane, 'Delivered');
    await delivered.waitFor();
    assert.match(await delivered.innerText(), /Delivered[^]*\/team-messaging\/v1\/posts\s+1 attempt\b/);
    await delivered.locator('summary').click();
    const accepted = delivered.getByRole('list', { name: 'Attempts' }).getByRole('listitem');
    await accepted.waitFor();
    assert.match(await accepted.innerText(), /Accepted\s+200[^]*\d\d:\d\d:\d\d\s+[\d.,]+ ms/);
    assert.ok((await accepted.innerText()).includes(open.peer));
    assert.equal(await accepted.count(), 1);
    assert.ok(await delivered.getByText(open.subscription.id).isVisible());

    const abandoned = went(pane, 'Given up');
    await abandoned.waitFor();
    assert.match(await abandoned.innerText(), /does not want to hear again/);
    await abandoned.locator('summary').focus();
    await page.keyboard.press('Enter');
    const refusal = abandoned.getByRole('list', { name: 'Attempts' }).getByRole('listitem');
    await refusal.waitFor();
    assert.match(await refusal.innerText(), /Refused for good\s+410/);
    assert.ok((await refusal.innerText()).includes(gone.peer));
    assert.equal(await refusal.getByRole('region', { name: 'Answer to attempt 1' }).innerText(), '<b id="excerpt">closed for good</b>');
    assert.equal(await page.locator('#excerpt').count(), 0);
  });

  it('changes in front of the reader when a retry is accepted', async () => {
    const slow = await subscribe({ status: 503, body: 'not yet' });
    const team = await yard.team('Retries');
    const post = await yard.say(team, 'Is anybody there?');
    const page = await visitor.open(`${team.path}?pane=details&post=${post.id}`);
    const pane = page.getByRole('complementary', { name: 'Details' });
    const retrying = went(pane, 'Retrying');
    await retrying.waitFor();
    assert.match(await retrying.innerText(), /next try (in \d+ s|now)/);
    await retrying.locator('summary').click();
    await retrying.getByText('not yet').first().waitFor();
    slow.answer = { status: 204 };
    const delivered = went(pane, 'Delivered');
    await delivered.waitFor({ timeout: 45_000 });
    const attempts = delivered.getByRole('list', { name: 'Attempts' }).getByRole('listitem');
    await attempts.filter({ hasText: 'Accepted' }).waitFor();
    assert.ok((await attempts.count()) >= 2);
    assert.match(await attempts.first().innerText(), /Asked to come back later\s+503/);
  });

  it('is within reach of the keyboard for a post of a person, and says how to subscribe', async () => {
    const team = await yard.team('Nobody listens');
    await yard.say(team, 'Hello out there');
    const page = await visitor.open(team.path);
    const details = page.getByRole('article').filter({ hasText: 'Hello out there' }).getByRole('link', { name: 'Details' });
    await details.focus();
    assert.equal(await details.evaluate((element) => getComputedStyle(element).opacity), '1');
    await page.keyboard.press('Enter');
    const pane = page.getByRole('complementary', { name: 'Details' });
    await pane.getByText('no subscription that you may see matched').waitFor();
    assert.equal(await pane.getByRole('region', { name: 'Request' }).count(), 0);
    assert.ok(await pane.getByText('POST /restapi/v1.0/subscription').isVisible());
    assert.match(await pane.getByRole('region', { name: 'Command that subscribes' }).innerText(), /^curl 'http[^]*"\/team-messaging\/v1\/posts"/);
    await page.keyboard.press('Escape');
    await pane.waitFor({ state: 'detached' });
    assert.ok(await details.evaluate((element) => element === document.activeElement));
  });

  it('is an error with its code when there is no such post', async () => {
    visitor.expecting(refused('404'));
    const team = await yard.team('Lost posts');
    const page = await visitor.open(`${team.path}?pane=details&post=9007199254740000`);
    const pane = page.getByRole('complementary', { name: 'Details' });
    const alert = pane.getByRole('region', { name: 'Where it went' }).getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /does not exist[^]*CMN-102/);
  });
});
