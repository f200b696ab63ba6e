// Journeys through chats, in a real browser against the real binary.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { barriersAt } from '../kernel/barriers.mjs';
import { hungUp, refused, setStage } from '../kernel/stage.mjs';
import { hook } from '../kernel/yard.mjs';
import { Receiver } from '../subscriptions/receiver.mjs';
import { adaptiveCard, buildCard, event, note } from './cards.mjs';

const { yard, visitor } = await setStage();

/** Opens every delivery in the pane, and goes to the end of it. */
async function openAll(page) {
  const lines = page.getByRole('region', { name: 'Where it went' }).locator('summary');
  for (const line of await lines.all()) await line.click();
  await page.waitForFunction(() => !document.querySelector('aside [aria-busy="true"]'));
  await lines.last().scrollIntoViewIfNeeded();
}

describe('a chat', () => {
  it('shows a card that was posted to the hook, without a reload', async () => {
    const page = await visitor.open('/');
    await page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name: /^General/ }).click();
    await page.getByLabel('Message to General').waitFor();
    const title = `crane ${Date.now()}`;
    const loads = [];
    page.on('framenavigated', () => loads.push(page.url()));
    const [first] = buildCard.attachments;
    const answer = await hook(yard.credentials.HOOKYARD_HOOK_URL, { ...buildCard, attachments: [{ ...first, title }] });
    assert.deepEqual(answer, { status: 200, body: { status: 'OK' } });
    const card = page.getByRole('article', { name: title });
    await card.waitFor();
    assert.ok(await card.isVisible());
    assert.deepEqual(loads, []);
  });

  it('draws every kind of attachment, and nothing that it must refuse', async () => {
    const team = await yard.team('Attachments');
    for (const payload of [buildCard, event, note, adaptiveCard]) {
      assert.deepEqual((await hook(team.webhook.uri, payload)).body, { status: 'OK' });
    }
    const page = await visitor.open(team.path);
    const card = page.getByRole('article', { name: 'crane: keep the load level' });
    await card.waitFor();
    assert.match(await card.innerText(), /harbour\/crane[^]*swing_stays_below_limit failed\. \[Not a link\]\(javascript:alert\(1\)\)[^]*Branch\s+main[^]*Harbour CI on pier 4/);
    assert.equal(await card.getByRole('link', { name: /Picture/ }).getAttribute('href'), 'https://ci.invalid/graph.png');
    await page.getByText('<img src=x onerror=alert(1)>').waitFor();

    const calendar = page.getByRole('article', { name: 'Crane inspection' });
    assert.match(await calendar.innerText(), /Every week\s+Pier 4, gate B\s+Bring your helmet\./);

    const sheet = page.getByRole('article', { name: 'How to lift a container' });
    await sheet.getByRole('button', { name: 'Show more' }).click();
    assert.ok(await sheet.getByText('Step 24 of the procedure.').isVisible());

    const adaptive = page.getByRole('article', { name: 'Expense report' });
    await adaptive.getByText('Expense report Q3').waitFor();
    assert.equal(await adaptive.locator('strong', { hasText: 'Q3' }).count(), 1);
    assert.ok(await adaptive.getByText('not <b>from</b> Bob').isVisible());
    assert.equal(await adaptive.locator('img:not([src^="data:"]), video, iframe').count(), 0);
    assert.equal(await page.locator('[id="app"]').count(), 1);
    assert.ok(await adaptive.getByRole('button', { name: 'Approve' }).isDisabled());
    assert.ok(await adaptive.getByText('1,284.00').isVisible());
    await adaptive.getByRole('button', { name: 'Details' }).click();
    assert.ok(await adaptive.getByText('Hotel, three nights').isVisible());
    await adaptive.getByRole('button', { name: 'More' }).click();
    assert.equal(await adaptive.locator('strong', { hasText: 'card' }).count(), 1);
    await adaptive.getByRole('button', { name: 'Approve' }).click({ force: true });
  });

  it('leaves room for the words beside a picture on a narrow screen', async () => {
    const team = await yard.team('Narrow');
    await hook(team.webhook.uri, adaptiveCard);
    const page = await visitor.open(team.path);
    await page.setViewportSize({ width: 390, height: 844 });
    const words = page.getByText('Responsible travellers');
    await words.waitFor();
    const lines = await words.evaluate((element) => {
      const range = document.createRange();
      range.selectNodeContents(element);
      return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
    });
    assert.ok(lines <= 2, `two words stand on ${lines} lines`);
  });

  it('shows the request behind a post', async () => {
    const team = await yard.team('Requests');
    await hook(team.webhook.uri, { ...buildCard, surprise: 1 });
    const page = await visitor.open(team.path);
    await page.getByRole('link', { name: 'via webhook' }).click();
    const pane = page.getByRole('complementary', { name: 'Details' });
    await pane.getByText('answered 200').waitFor();
    assert.match(await pane.getByRole('region', { name: 'Payload' }).innerText(), /"activity": "Harbour CI"/);
    await pane.getByText('Our answer').click();
    assert.match(await pane.getByRole('region', { name: 'Our answer', exact: true }).innerText(), /"status": "OK"/);
    await page.keyboard.press('Escape');
    await pane.waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => document.activeElement?.textContent?.trim()), 'via webhook');
  });

  it('sends what is written, and tells other pages', async () => {
    const team = await yard.team('Writing');
    const [here, there] = [await visitor.open(team.path), await visitor.open(team.path)];
    const box = here.getByLabel('Message to Writing');
    await there.getByLabel('Message to Writing').waitFor();
    await box.fill('first line');
    await box.press('Shift+Enter');
    await box.pressSequentially('and **second**');
    await box.press('Enter');
    for (const page of [here, there]) {
      const post = page.getByRole('article').filter({ hasText: 'first line' });
      await post.waitFor();
      assert.equal(await post.count(), 1);
      assert.equal(await post.locator('strong', { hasText: 'second' }).count(), 1);
    }
    assert.equal(await box.inputValue(), '');
    const { records } = await yard.api('GET', `/team-messaging/v1/chats/${team.id}/posts`);
    assert.equal(records.filter(({ text }) => text === 'first line\nand **second**').length, 1);
  });

  it('keeps a text that could not be sent, and says why', async () => {
    const team = await yard.team('Archive');
    const page = await visitor.open(team.path);
    const box = page.getByLabel('Message to Archive');
    await box.fill('too late');
    await visitor.context.route('**/posts', (route) => route.abort('connectionrefused'));
    visitor.expecting(hungUp);
    await box.press('Enter');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /cannot be reached/);
    assert.equal(await box.inputValue(), 'too late');
    await visitor.context.unroute('**/posts');
    await box.press('Enter');
    await page.getByRole('article').filter({ hasText: 'too late' }).waitFor();
    assert.equal(await alert.count(), 0);
  });

  it('reads older posts on the way up and keeps the place', async () => {
    const team = await yard.team('History');
    for (let n = 1; n <= 120; n += 1) await yard.say(team, `Entry ${n} of the log`);
    const page = await visitor.open(team.path);
    const posts = page.getByRole('region', { name: 'Posts in History' });
    await posts.getByText('Entry 120 of the log', { exact: true }).waitFor();
    assert.ok(await posts.getByText('Entry 120 of the log', { exact: true }).isVisible());
    assert.equal(await posts.getByText('Entry 70 of the log', { exact: true }).count(), 0);
    for (const [oldest, next] of [[71, 21], [21, 1]]) {
      const before = posts.getByText(`Entry ${oldest} of the log`, { exact: true });
      await before.scrollIntoViewIfNeeded();
      await posts.getByText(`Entry ${next} of the log`, { exact: true }).waitFor();
      assert.ok(await before.evaluate((element) => {
        const { top, bottom } = element.getBoundingClientRect();
        return bottom > 0 && top < innerHeight;
      }), `entry ${oldest} stays in view`);
    }
    await yard.say(team, 'Meanwhile at the end');
    const pill = page.getByRole('button', { name: /newest|new$/ });
    await pill.click();
    await page.getByRole('article').filter({ hasText: 'Meanwhile at the end' }).waitFor();
  });

  it('that does not exist says so', async () => {
    visitor.expecting(refused('404'));
    const page = await visitor.open('/chats/9007199254740000');
    await page.getByRole('heading', { name: /does not exist, or you are not in it/ }).waitFor();
    assert.ok(await page.getByText('CMN-102').isVisible());
  });

  it('counts what is new elsewhere', async () => {
    const [near, far] = [await yard.team('Near'), await yard.team('Far')];
    const page = await visitor.open(near.path);
    await page.getByLabel('Message to Near').waitFor();
    for (let n = 0; n < 2; n += 1) await hook(far.webhook.uri, { text: `Ring ${n}` });
    const link = page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name: /Far.*2 new/ });
    await link.waitFor();
    await page.waitForFunction(() => document.title.startsWith('(2) '));
    await link.click();
    await page.getByRole('heading', { level: 1, name: 'Far' }).waitFor();
    await page.waitForFunction(() => !document.title.startsWith('('));
  });
});

describe('everybody', () => {
  it('can find a chat and post with the keyboard alone', async () => {
    const team = await yard.team('Keyboard harbour');
    const page = await visitor.open('/');
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name: /Keyboard harbour/ }).waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent?.trim() || '');
    for (let presses = 0; (await focused()) !== 'chat-filter'; presses += 1) {
      assert.ok(presses < 10, 'the filter is a few tab stops away');
      await page.keyboard.press('Tab');
      if (presses === 0) assert.equal(await focused(), 'Skip to the conversation');
    }
    await page.keyboard.type('keyboard');
    await page.keyboard.press('ArrowDown');
    assert.match(await focused(), /^Keyboard harbour/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: team.name }).waitFor();
    for (let presses = 0; (await focused()) !== 'composer'; presses += 1) {
      assert.ok(presses < 30, 'the place to write is within reach');
      await page.keyboard.press('Tab');
    }
    await page.keyboard.type('no hands');
    await page.keyboard.press('Enter');
    await page.getByRole('article').filter({ hasText: 'no hands' }).waitFor();
  });

  it('meets no serious barrier, in light and dark, at three widths', async () => {
    const team = await yard.team('Gallery');
    const empty = await yard.team('Empty berth');
    const quiet = await yard.team('Quiet berth');
    const lonely = await yard.say(quiet, 'Nobody listens.');
    await yard.say(quiet, 'That is a pity, because there would be so much to tell about the weather on the pier.');
    const receivers = await Promise.all(
      [{ status: 200 }, { status: 410, body: 'This mailbox is closed.' }, { status: 503, headers: { 'Retry-After': '900' }, body: 'Down for maintenance' }].map(
        (answer) => Receiver.subscribe(yard, answer),
      ),
    );
    await yard.say(team, 'Good morning! The **new crane** is on the pier.\n> It should be _ready_ by noon.\n* check the *hook*\n* check the cable');
    await yard.say(team, 'And somebody please move that van.');
    for (const payload of [buildCard, event, note, adaptiveCard]) await hook(team.webhook.uri, payload);
    const { records } = await yard.api('GET', `/team-messaging/v1/chats/${team.id}/posts`);
    const places = [
      ['list', '/'],
      ['chat', team.path],
      ['webhooks', `${team.path}?pane=webhooks`],
      ['request', `${team.path}?pane=details&post=${records[0].id}`],
      ['deliveries', `${team.path}?pane=details&post=${records.at(-2).id}`, openAll],
      ['talk', quiet.path],
      ['nobody', `${quiet.path}?pane=details&post=${lonely.id}`],
      ['empty', empty.path],
    ];
    const ready = async (page) => {
      await page.waitForFunction(() => document.querySelector('main, nav') && !document.querySelector('[aria-busy="true"]'));
    };
    const barriers = await barriersAt(visitor, places.map(([name, path, act]) => [`console-${name}`, path, act]), { ready, impacts: ['serious', 'critical'] });
    await Promise.all(receivers.map((receiver) => receiver.leave()));
    assert.deepEqual(barriers, []);
  });
});
