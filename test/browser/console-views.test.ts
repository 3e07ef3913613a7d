// What the console shows of calls, live and ended, and how where there is little room.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chromiumMissing } from '@sidestream/peers';
import type { Page } from 'playwright-core';
import { consoleOf, inspect, several } from './console-page.js';
import { endedCall, liveCall, voices } from './played-console.js';

const skip = chromiumMissing();
const phone = { width: 390, height: 844 };
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

test('parties that were shown in full are masked again when a transfer has made them others', { skip }, async (t) => {
  let [masked, full] = ['A**', 'Ada'];
  const { gateway, page } = await consoleOf(t, ({ answers }) => {
    answers['calls'] = ({ searchParams }) => {
      const name = searchParams.has('reveal') ? full : masked;
      return { calls: [liveCall('call-1', { called: { uri: `sip:${name}@pbx.example`, name } })] };
    };
  });
  await page.getByRole('button', { name: 'Open' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Show in full' }).click();
  await dialog.getByText(/^Ada /).waitFor();
  [masked, full] = ['B**', 'Bob'];
  gateway.tell('call.transferred');
  await dialog.getByText(/^B\*\* /).waitFor();
  await dialog.getByRole('button', { name: 'Show in full' }).click();
  await dialog.getByText(/^Bob /).waitFor();
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
  /** What is cut off or goes beyond the window, but for what a table scrolls by itself. */
  const overflow = () =>
    page.evaluate<string[]>(`[...document.querySelectorAll('*')]
      .filter((one) => (one.getBoundingClientRect().right > innerWidth + 1 || (one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1)) && !one.closest('.unseen, thead, .skip'))
      .map((one) => one.outerHTML.slice(0, 90))`);
  // WCAG 2.2, 1.4.10: down to 320 pixels; and between a phone and a desk.
  for (const width of [320, 600, 880, 1000, phone.width]) {
    await page.setViewportSize({ width, height: phone.height });
    assert.deepEqual(await overflow(), [], `${width} px wide`);
  }
  await inspect(page, 'phone');
  await page.locator('[data-call="call-1"]').getByRole('button', { name: 'Open' }).click();
  await page.getByRole('dialog').waitFor();
  assert.deepEqual(await overflow(), []);
  await inspect(page, 'phone-dialog');
});
