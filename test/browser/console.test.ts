// The operations console in a browser, on real calls: signed in to, read, and worked by keyboard alone.
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { listedSeller } from '@sidestream/cli';
import { chromiumMissing, eventually } from '@sidestream/peers';
import type { Browser, Page } from 'playwright-core';
import { GatewayStage } from '../e2e/gateway/gateway-stage.js';
import { startSecond } from '../e2e/second-signalling.js';
import { customerNumber } from '../e2e/stage.js';
import { axeViolations, keepScreenshot, launchBrowser } from './browser.js';

const users = [
  { oid: 'olga', name: 'Olga', roles: ['Sidestream.Operator'] },
  { oid: 'eve', name: 'Eve' },
];
const patienceMs = 60_000;

let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

/** The console's page as somebody sees it who has just signed in. */
async function signedIn(
  t: TestContext,
  set: GatewayStage,
  name: string,
): Promise<{ page: Page; complaints: string[] }> {
  browser ??= launchBrowser();
  const context = await (await browser).newContext({ viewport: { width: 1300, height: 1000 } });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(patienceMs);
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (origin !== new URL(set.url).origin && origin !== set.issuer.issuer) complaints.push(`asks ${origin}`);
  });
  await page.goto(`${set.url}/`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name }).click();
  return { page, complaints };
}

/** Moves the focus on until it is on what has this name; nothing is clicked. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const focused = () => page.evaluate<string>('document.activeElement?.textContent ?? ""');
  for (let presses = 0; !name.test(await focused()); presses++) {
    assert.ok(presses < 60, `no way to ${name} by Tab, but to "${await focused()}"`);
    await page.keyboard.press('Tab');
  }
}

/** What the console shows now must have come to it since then in less than a second. */
function withinASecond(t: TestContext, what: string, sinceMs: number): void {
  const tookMs = Date.now() - sinceMs;
  t.diagnostic(`${what} to console: ${tookMs} ms`);
  assert.ok(tookMs < 1_000, `${what} to console took ${tookMs} ms`);
}

async function press(page: Page, name: RegExp): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.press('Enter');
}

test('the console shows a call as it goes, and pauses, resumes and ends it by keyboard alone', async (t) => {
  const missing = chromiumMissing();
  if (missing !== undefined) return t.skip(missing);
  const set = await GatewayStage.start(t, { users });
  if (set === undefined) return;
  const { stage } = set;
  const { recorder } = stage.laboratory;
  const { page, complaints } = await signedIn(t, set, 'Olga');
  await page.getByText('No calls right now.').waitFor();
  await page.getByRole('banner').getByText('Live', { exact: true }).waitFor();
  const policy = page.locator('#policies tbody tr');
  await policy.getByText('From a file').waitFor();
  assert.equal(await policy.locator('time').count(), 1, 'its age');
  const row = page.locator('tr[data-call]');

  const call = await stage.inbound();
  const answeredAt = Date.now();
  await row.getByText('Talking').waitFor();
  withinASecond(t, 'answer', answeredAt);
  await row.getByText('Recording', { exact: true }).waitFor();
  // Both voices flow, and are copied: 50 packets a second, as they are measured while somebody looks.
  const flowing = /Customer[45]\d\/s→to the recorder [45]\d\/s.*Seller[45]\d\/s→to the recorder [45]\d\/s/;
  await row.locator('.voices').filter({ hasText: flowing }).waitFor();
  assert.ok(!(await page.content()).includes(customerNumber), 'the number is masked');
  assert.deepEqual(await axeViolations(page), []);
  await keepScreenshot(page, 'console-call');

  await press(page, /^Open/);
  await press(page, /^Show in full$/);
  await page.locator('dialog').getByText(customerNumber).first().waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await keepScreenshot(page, 'console-call-opened');
  await press(page, /^Pause recording$/);
  await page.getByRole('alertdialog').waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await tabTo(page, /^Pause recording$/);
  const pausedAt = Date.now();
  await page.keyboard.press('Enter');
  await row.getByText('Paused').waitFor();
  withinASecond(t, 'pause', pausedAt);
  await page
    .locator('dialog .voices')
    .filter({ hasText: /Customer[45]\d\/s→to the recorder 0\/s/ })
    .waitFor();
  const datagrams = () => recorder.sessions[0]?.streams.map(({ statistics }) => statistics.datagrams) ?? [];
  const before = datagrams();
  assert.equal(before.length, 2);
  await stage.talk(call, 50);
  assert.deepEqual(datagrams(), before, 'not one packet reaches the recorder');
  await press(page, /^Resume recording$/);
  await page.getByRole('alertdialog').waitFor();
  await press(page, /^Resume recording$/);
  await eventually(() => datagrams().every((count, index) => count > (before[index] ?? 0) + 20), 'packets again');

  await press(page, /^End call$/);
  await page.getByRole('alertdialog').waitFor();
  await press(page, /^End call$/);
  await Promise.all([call.customer.ended, call.seller.ended]);
  const endedAt = Date.now();
  // Behind the dialogs.
  await page.getByText('No calls right now.').waitFor();
  withinASecond(t, 'end', endedAt);
  await page.getByRole('alertdialog').waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  const record = page.locator('tr[data-record]');
  await record.getByText('ended-by-operator').waitFor();
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.deepEqual(await axeViolations(page), []);
  await keepScreenshot(page, 'console-dark');
  assert.deepEqual(complaints, []);
  await stage.nothingIsLeft();
});

test('who is no operator is told so, and sees no call', async (t) => {
  const missing = chromiumMissing();
  if (missing !== undefined) return t.skip(missing);
  const set = await GatewayStage.start(t, { users });
  if (set === undefined) return;
  const call = await set.stage.inbound();
  const { page } = await signedIn(t, set, 'Eve');
  await page.getByRole('heading', { name: 'Not an operator' }).waitFor();
  assert.equal(await page.locator('tr[data-call]').count(), 0);
  assert.deepEqual(await axeViolations(page), []);
  await keepScreenshot(page, 'console-not-allowed');
  await call.customer.hangUp();
  await set.stage.nothingIsLeft();
});

test('a signalling process that is stopped: its call is not answered for, comes back, and is lost when it is killed', async (t) => {
  const missing = chromiumMissing();
  if (missing !== undefined) return t.skip(missing);
  const set = await GatewayStage.start(t, { users });
  if (set === undefined) return;
  const second = await startSecond(t, set.stage);
  const here = await set.stage.inbound();
  const there = await set.stage.inbound(listedSeller.number, second.uri(listedSeller.number));
  const { page } = await signedIn(t, set, 'Olga');
  const row = page.locator('[data-call]').filter({ hasText: 'not answering since' });
  await page.locator('[data-call]').nth(1).waitFor();
  assert.equal(await row.count(), 0);
  second.service.kill('SIGSTOP');
  await row.waitFor();
  await page.getByText(/Instance s2 is not answering/).waitFor();
  assert.equal(await page.locator('[data-call]').count(), 2);
  second.service.kill('SIGCONT');
  await row.waitFor({ state: 'detached' });
  assert.equal(await page.locator('[data-call]').count(), 2);
  second.service.kill('SIGKILL');
  await page.getByText(/Instance s2 is gone, and its calls with it/).waitFor();
  await page.locator('[data-record]').getByText('instance-lost').waitFor();
  assert.equal(await page.locator('[data-call]').count(), 1);
  await here.customer.hangUp();
  await there.customer.hangUp().catch(() => undefined);
});
