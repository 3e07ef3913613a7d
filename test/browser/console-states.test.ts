// What the console shows when something is wrong, or there is little room: by a gateway that does what a test wants.
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { chromiumMissing, eventually } from '@sidestream/peers';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { axeViolations, keepScreenshot, launchBrowser } from './browser.js';
import { endedCall, liveCall, PlayedConsole, recording, voices } from './played-console.js';

const skip = chromiumMissing();
const patienceMs = 60_000;
const desk = { width: 1300, height: 900 };
const phone = { width: 390, height: 844 };

let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

interface Set {
  readonly gateway: PlayedConsole;
  readonly page: Page;
  readonly context: BrowserContext;
}

/** A console that somebody has signed in to, once it shows something. */
async function consoleOf(t: TestContext, prepare = (_: PlayedConsole) => {}, viewport = desk): Promise<Set> {
  const gateway = await PlayedConsole.start(t);
  prepare(gateway);
  browser ??= launchBrowser();
  const context = await (await browser).newContext({ viewport });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(patienceMs);
  await page.goto(gateway.url);
  await signIn(page);
  await page.locator('[data-call]').first().waitFor();
  return { gateway, page, context };
}

async function signIn(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'Olga' }).click();
}

/** Nothing is wrong with the page for axe-core, in light and in dark, and it is no wider than its window; each is kept as a picture. */
async function inspect(page: Page, name: string): Promise<void> {
  const { width } = page.viewportSize() ?? desk;
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width, `${name} is too wide`);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await axeViolations(page), [], `${name}, ${colorScheme}`);
    await keepScreenshot(page, `console-${name}-${colorScheme}`);
  }
}

const several = (gateway: PlayedConsole) => {
  gateway.answers['calls'] = () => ({
    calls: [
      liveCall('call-1'),
      liveCall('call-2', {
        recordings: [recording({ phase: 'paused', pausedBy: ['operator'], voices: voices(0, 0) })],
      }),
      liveCall('call-3', {
        direction: 'outbound',
        missing: { reason: 'media-stalled', since: new Date().toISOString() },
        recordings: [recording({ voices: voices(0, 48) })],
      }),
      liveCall('call-4', {
        decision: { record: false, reason: 'not-listed', policyRevision: 'b4c1f0de', recorders: [] },
        recordings: [],
        voices: voices(50, 0),
      }),
      liveCall('call-5', { phase: 'dialling', answeredAt: undefined, recordings: [], voices: [] }),
    ],
    instances: [{ instance: 's1', state: 'live', calls: 5 }],
    lost: [],
  });
};
const flows = (page: Page, call: string) => page.locator(`[data-call="${call}"] .voices li`).allTextContents();

test('both streams of each call, in the list and in its dialog, and what is missing of a recording', {
  skip,
}, async (t) => {
  let customer = 50;
  const { gateway, page } = await consoleOf(t, several);
  assert.deepEqual(await flows(page, 'call-1'), [
    'Customer50/s→to the recorder 50/s',
    'Seller48/s→to the recorder 48/s',
  ]);
  assert.deepEqual(await flows(page, 'call-4'), ['Customer50/s', 'Seller0/s']);
  assert.deepEqual(await flows(page, 'call-5'), []);
  const stalled = page.locator('[data-call="call-3"]');
  await stalled.getByText('Media stalled').waitFor();
  assert.equal(await stalled.locator('.voices li.bad').count(), 1);
  await inspect(page, 'list');
  await stalled.getByRole('button', { name: 'Open' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Media stalled since').waitFor();
  await inspect(page, 'dialog');
  await page.keyboard.press('Escape');
  gateway.answers['calls'] = () => ({ calls: [liveCall('call-1', { voices: voices(customer, 48) })] });
  gateway.tell('call.ended');
  await stalled.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Open' }).click();
  customer = 17;
  await dialog.getByText('17/s').waitFor();
});

test('an instance that does not answer: its calls are not ended, and since when it is so', { skip }, async (t) => {
  const { gateway, page } = await consoleOf(t, several);
  gateway.answers['calls'] = () => ({
    calls: [liveCall('call-1'), liveCall('call-2', { instance: 's2', silent: true, voices: [] })],
    instances: [
      { instance: 's1', state: 'live', calls: 1 },
      { instance: 's2', state: 'silent', calls: 1 },
    ],
    lost: [],
  });
  gateway.tell('call.started');
  const row = page.locator('[data-call="call-2"]');
  await row.getByText(/s2 not answering since \d/).waitFor();
  await row.getByText('Not known').waitFor();
  await page.getByText(/Instance s2 is not answering\. 1 call is shown as last known; it may well go on\./).waitFor();
  await inspect(page, 'silent');
  await row.getByRole('button', { name: 'Open' }).click();
  await page.getByText(/nothing can be done to it from here/).waitFor();
  assert.deepEqual(await page.getByRole('dialog').getByRole('button').allTextContents(), ['Show in full', 'Close']);
  await inspect(page, 'silent-dialog');

  const lost = liveCall('call-2', { instance: 's2', endedAt: new Date().toISOString(), phase: undefined });
  const termination = { result: 'indeterminate', reason: 'instance-lost', detail: 'signalling instance s2 is gone' };
  gateway.answers['calls'] = () => ({
    calls: [liveCall('call-1')],
    instances: [
      { instance: 's1', state: 'live', calls: 1 },
      { instance: 's2', state: 'gone', calls: 0 },
    ],
    lost: [{ ...lost, termination }],
  });
  gateway.tell('call.lost');
  await page.getByText(/Instance s2 is gone, and this call with it/).waitFor();
  await page.keyboard.press('Escape');
  await page.getByText(/Instance s2 is gone, and its calls with it/).waitFor();
  await page.locator('[data-record="call-2"]').getByText('instance-lost').waitFor();
  await inspect(page, 'gone');
});

test('no network in the browser: said at once, what is shown has its age, clocks stand still; all is back by itself', {
  skip,
}, async (t) => {
  const { gateway, page, context } = await consoleOf(t, several);
  await page.getByRole('banner').getByText('Live', { exact: true }).waitFor();
  await context.setOffline(true);
  await page.getByText('This browser is offline.').waitFor();
  await page.getByText(/What is shown is as of .* \(\d+ s old\)/).waitFor();
  const clock = page.locator('[data-call="call-1"] td.number');
  const [before, asked] = [await clock.textContent(), gateway.tokens.length];
  await page.waitForFunction(`document.querySelector('.banner').textContent.includes('(3 s old)')`);
  assert.equal(await clock.textContent(), before);
  assert.equal(gateway.tokens.length, asked, 'nothing is asked without a network');
  await inspect(page, 'offline');
  await context.setOffline(false);
  await page.getByRole('banner').getByText('Live', { exact: true }).waitFor();
  assert.equal(await page.locator('.banner').count(), 0);
  await eventually(async () => (await clock.textContent()) !== before, 'the clocks run');
});

test('a gateway that is gone: tried again by itself, ever more seldom; back at once for who is impatient', {
  skip,
}, async (t) => {
  const { gateway, page } = await consoleOf(t);
  gateway.isThere = false;
  gateway.endStreams();
  await page.getByText('The gateway can’t be reached.', { exact: true }).waitFor();
  await page.getByText(/Next attempt in (6|7|8) s/).waitFor();
  await inspect(page, 'gateway-gone');
  gateway.isThere = true;
  await page.getByRole('button', { name: 'Try now' }).click();
  await page.getByRole('banner').getByText('Live', { exact: true }).waitFor();
});

test('a token that is refused is renewed without a word', { skip }, async (t) => {
  const { gateway, page } = await consoleOf(t);
  const [old = ''] = gateway.tokens;
  gateway.isGood = (token) => token !== old;
  gateway.tell('call.started');
  await eventually(() => gateway.tokens.at(-1) !== old, 'a new token is used');
  await page.getByRole('banner').getByText('Live', { exact: true }).waitFor();
  assert.equal(await page.getByText('Your session has ended').count(), 0);
});

test('a session that can not be renewed: a sign-in is asked for, and the same view is there again after it', {
  skip,
}, async (t) => {
  const { gateway, page } = await consoleOf(t, several);
  const end = () => {
    const refused = new Set(gateway.tokens);
    gateway.isGood = (token) => !refused.has(token);
    gateway.issuer.signIn.renews = false;
    gateway.tell('call.started');
  };
  const prompt = page.getByRole('alertdialog', { name: 'Your session has ended' });
  const dialog = page.locator('dialog:not([role="alertdialog"])');
  await page.getByRole('searchbox', { name: 'Search live calls' }).fill('inbound');
  await page.locator('[data-call="call-1"]').getByRole('button', { name: 'Open' }).click();
  await dialog.waitFor();
  end();
  await prompt.waitFor();
  assert.equal(await dialog.count(), 1, 'the call is still to be seen');
  await inspect(page, 'expired');
  await prompt.getByRole('button', { name: 'Sign in again' }).click();
  await page.getByRole('link', { name: 'Olga' }).click();
  await dialog.getByText('call-1', { exact: true }).waitFor();
  assert.equal(await page.locator('[data-call]').count(), 4, 'the search is as it was');
  await page.getByRole('banner').getByText('Live', { exact: true }).waitFor();

  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  end();
  await prompt.getByRole('button', { name: 'Keep looking' }).click();
  await page.locator('.banner').getByText('Your session has ended.').waitFor();
  assert.equal(await page.locator('[data-call]').count(), 4);
  await inspect(page, 'expired-looking');
  await page.locator('.banner').getByRole('button', { name: 'Sign in again' }).click();
  await page.getByRole('link', { name: 'Olga' }).click();
  await page.getByRole('banner').getByText('Live', { exact: true }).waitFor();
});

test('who signs out while a token is renewed stays signed out', { skip }, async (t) => {
  const { gateway, page } = await consoleOf(t);
  let letGo: () => void = () => {};
  await page.route('**/token', async (route) => {
    await new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await route.continue();
  });
  const refused = new Set(gateway.tokens);
  gateway.isGood = (token) => !refused.has(token);
  const asking = page.waitForRequest('**/token');
  gateway.tell('call.started');
  await asking;
  await page.getByRole('button', { name: 'Sign out' }).click();
  const answered = page.waitForResponse('**/token');
  letGo();
  await answered;
  await page.reload();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  assert.equal(await page.evaluate(`sessionStorage.getItem('session')`), null);
});

test('ended calls: searched, and older ones page by page; one that comes late takes its place', { skip }, async (t) => {
  const history = Array.from({ length: 70 }, (_, index) => endedCall(`call-${index}`, 10 + 60 * index));
  const end = { result: 'client-error', reason: 'busy', detail: '486 Busy Here' };
  const odd = { termination: end, verdict: 'not-expected', recordings: [] };
  history[3] = endedCall('call-3', 190, odd);
  const { gateway, page } = await consoleOf(t, ({ answers }) => {
    answers['records'] = ({ searchParams }) => {
      const before = searchParams.get('before') ?? '9';
      return { records: history.filter(({ endedAt }) => endedAt < before).slice(0, 50) };
    };
  });
  const rows = page.locator('[data-record]');
  await page.locator('[data-record="call-49"]').waitFor();
  assert.equal(await rows.count(), 50);
  await page.getByRole('button', { name: 'Show older calls' }).click();
  await page.locator('[data-record="call-69"]').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Show older calls' }).count(), 0);
  history.splice(2, 0, endedCall('late', 100));
  gateway.tell('call.ended');
  await page.locator('[data-record="call-1"] + [data-record="late"]').waitFor();
  assert.equal(await rows.count(), 71);
  await page.getByRole('searchbox', { name: 'Search ended calls' }).fill('busy outbound');
  await page.locator('[data-record="call-0"]').waitFor({ state: 'detached' });
  assert.deepEqual(await rows.evaluateAll((all) => all.map((row) => row.getAttribute('data-record'))), ['call-3']);
  await page.getByRole('searchbox', { name: 'Search ended calls' }).fill('nothing like that');
  await page.getByText('None of 71 ended calls is like that.').waitFor();
});

test('a phone: nothing has to be scrolled sideways, and every cell says what it is', { skip }, async (t) => {
  const { page } = await consoleOf(t, several, phone);
  const overflow = () =>
    page.evaluate<string[]>(`[...document.querySelectorAll('*')]
      .filter((one) => (one.getBoundingClientRect().right > innerWidth + 1 || (one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1)) && !one.closest('.unseen, thead, .skip'))
      .map((one) => one.outerHTML.slice(0, 90))`);
  assert.deepEqual(await overflow(), []);
  await inspect(page, 'phone');
  await page.locator('[data-call="call-1"]').getByRole('button', { name: 'Open' }).click();
  await page.getByRole('dialog').waitFor();
  assert.deepEqual(await overflow(), []);
  await inspect(page, 'phone-dialog');
});
