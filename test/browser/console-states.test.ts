// What the console shows when something is away: an instance, the network, the gateway.
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

  // A gateway that has started meanwhile knows nothing of a call that began long before.
  gateway.answers['calls'] = () => ({
    calls: [liveCall('call-1')],
    instances: [
      { instance: 's1', state: 'live', calls: 1 },
      { instance: 's2', state: 'silent', calls: 0 },
    ],
    lost: [],
  });
  gateway.tell('call.started');
  await page.getByText(/Instance s2 does not answer, and whether this call goes on is not known/).waitFor();

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
  // Long before it would be tried again by itself.
  await page.getByText(/Next attempt in 1[3-6] s/).waitFor();
  gateway.isThere = true;
  await page.getByRole('button', { name: 'Try now' }).click();
  await page.getByRole('banner').getByText('Live', { exact: true }).waitFor();
});
