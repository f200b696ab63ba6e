// Journeys through the console, in a real browser against the real binary.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, afterEach, before, describe, it } from 'node:test';
import { adaptiveCard, buildCard, event, note } from './cards.mjs';
import { Receiver } from './receiver.mjs';
import { Visitor, launch, picture } from './visitor.mjs';
import { Yard, hook } from './yard.mjs';

/** Opens every delivery in the pane, and goes to the end of it. */
async function openAll(page) {
  const lines = page.getByRole('region', { name: 'Where it went' }).locator('summary');
  for (const line of await lines.all()) await line.click();
  await page.waitForFunction(() => !document.querySelector('aside [aria-busy="true"]'));
  await lines.last().scrollIntoViewIfNeeded();
}

/** What a browser logs about an answer that a journey provokes. */
const refused = (status) => new RegExp(`Failed to load resource: the server responded with a status of ${status}`);
const hungUp = /Failed to load resource: net::ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE)/;

let browser;
let yard;
let visitor;

before(async () => {
  [browser, yard] = await Promise.all([launch(), Yard.start()]);
});

after(async () => {
  await browser?.close();
  await yard?.stop();
});

describe('the door', () => {
  before(async () => {
    visitor = await Visitor.arrive(browser, yard.url);
  });
  afterEach(() => visitor.leave());

  it('sends a stranger with a deep link to the sign-in page', async () => {
    const page = await visitor.open('/chats/1?pane=webhooks');
    await page.getByRole('heading', { name: 'Sign in to Hookyard' }).waitFor();
    assert.equal(new URL(page.url()).pathname, '/sign-in');
    assert.equal(await page.getByRole('navigation').count(), 0);
  });

  it('explains a wrong password and keeps the door shut', async () => {
    visitor.expecting(refused('4\\d\\d'));
    const page = await visitor.open('/sign-in');
    await page.getByLabel('E-mail').fill('nobody@example.com');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /E-mail or password is wrong/);
    assert.equal(await page.getByLabel('Password').inputValue(), '');
  });

  it('opens once for a one-time link, and forgets its secret at once', async () => {
    const link = new URL(yard.credentials.HOOKYARD_CONSOLE_URL);
    assert.match(link.hash, /^#code=.{16,}/);
    const page = await visitor.open(link.pathname + link.hash);
    await page.getByRole('navigation', { name: 'Chats' }).waitFor();
    assert.equal(new URL(page.url()).hash, '');
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state]));
    assert.doesNotMatch(kept, new RegExp(link.hash.slice('#code='.length)));
    assert.doesNotMatch(kept, /token/i);

    visitor.expecting(refused('4\\d\\d'));
    const stranger = await Visitor.arrive(browser, yard.url);
    stranger.expecting(refused('4\\d\\d'));
    const second = await stranger.open(link.pathname + link.hash);
    await second.getByRole('alert').waitFor();
    assert.match(await second.getByRole('alert').innerText(), /used already/);
    await stranger.leave();
    await stranger.context.close();
  });

  it('stays open when the page is loaded again', async () => {
    const page = await visitor.open('/');
    await page.getByRole('navigation', { name: 'Chats' }).waitFor();
    await page.reload();
    await page.getByRole('navigation', { name: 'Chats' }).waitFor();
  });
});

describe('a chat', () => {
  afterEach(() => visitor.leave());

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
    await visitor.leave();
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

describe('incoming webhooks', () => {
  afterEach(() => visitor.leave());

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

describe('everybody', () => {
  afterEach(() => visitor.leave());

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
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
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
      ['deliveries', `${team.path}?pane=details&post=${records.at(-2).id}`],
      ['talk', quiet.path],
      ['nobody', `${quiet.path}?pane=details&post=${lonely.id}`],
      ['empty', empty.path],
    ];
    const barriers = [];
    const page = await visitor.open('/');
    for (const [width, height] of [[390, 844], [820, 1080], [1360, 900]]) {
      for (const colorScheme of ['light', 'dark']) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        for (const [name, path] of places) {
          await page.goto(yard.url + path);
          await page.waitForFunction(() => document.querySelector('main, nav') && !document.querySelector('[aria-busy="true"]'));
          if (name === 'deliveries') await openAll(page);
          await picture(page, `console-${name}-${width}-${colorScheme}`);
          await page.evaluate(axe);
          const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
          for (const { id, impact, nodes } of violations) {
            if (impact !== 'serious' && impact !== 'critical') continue;
            for (const node of nodes) barriers.push(`${name} ${width} ${colorScheme}: ${id}: ${node.html} ${node.failureSummary}`);
          }
        }
      }
    }
    await Promise.all(receivers.map((receiver) => receiver.leave()));
    assert.deepEqual(barriers, []);
  });

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

  it('can sign out, and then needs to sign in', async () => {
    const page = await visitor.open('/');
    await page.getByRole('navigation', { name: 'Chats' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to Hookyard' }).waitFor();
    await page.goto(`${yard.url}/chats/1`);
    await page.getByRole('heading', { name: 'Sign in to Hookyard' }).waitFor();
    const cookies = await visitor.context.cookies();
    assert.deepEqual(cookies.filter(({ value }) => value !== ''), []);
  });
});
