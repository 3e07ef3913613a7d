// What the console shows when something is away: an instance, the network, the gateway, the session.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chromiumMissing, eventually } from '@sidestream/peers';
import { consoleOf, inspect, several } from './console-page.js';
import { liveCall } from './played-console.js';

const skip = chromiumMissing();

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
