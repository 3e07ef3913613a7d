// `sidestream demo --stay`, as its user sees it: the page, a call, its two voices; Ctrl-C ends all.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { chromiumMissing, eventually, reasonToSkip, startNats, startRtpengine } from '@sidestream/peers';
import { childrenOf, isRunning, spawnCli } from '../e2e/run-cli.js';
import { axeViolations, keepScreenshot, launchBrowser } from './browser.js';
import { WidgetPage } from './widget-page.js';

const patienceMs = 120_000;

/** The demo, once its pages are up. */
async function demoOnStage(t: TestContext) {
  const out = mkdtempSync(join(tmpdir(), 'sidestream-stage-'));
  t.after(() => rmSync(out, { recursive: true, force: true }));
  const child = spawnCli(['demo', '--stay', '--json', '--out', out], { detached: true });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (text: Buffer) => {
      output[name] += text;
    });
  const closed = once(child, 'close');
  t.after(async () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await closed;
  });
  const urlOf = (what: string) => new RegExp(`${what}: (http\\S+)`).exec(output.stderr)?.[1];
  const isUp = () => child.exitCode !== null || output.stderr.includes('Ctrl-C ends it');
  await eventually(isUp, 'the pages are up', patienceMs);
  assert.equal(child.exitCode, null, output.stderr);
  return { child, closed, output, urlOf };
}

test('demo --stay: a call by button, both voices to see and to hear, and Ctrl-C leaves nothing', async (t) => {
  const missing = chromiumMissing() ?? (await reasonToSkip([startNats, startRtpengine]));
  if (missing !== undefined) return t.skip(missing);
  const { child, closed, output, urlOf } = await demoOnStage(t);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1000, height: 1000 } });
  page.setDefaultTimeout(patienceMs);
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(urlOf('place calls, see and hear recordings') ?? '');
  // The demo's own two recorded calls are there already.
  await page.locator('article:nth-of-type(2)').waitFor();
  const ada = await WidgetPage.openUrl(browser, (await page.locator('a').first().getAttribute('href')) ?? '');
  await ada.connection('connected');
  await page.locator('button[data-call="inbound-listed"]').click();
  await page.locator('article:nth-of-type(3)').waitFor();
  await page.getByText('over, recorded and proven').waitFor();
  const newest = page.locator('article').first();
  assert.equal(await newest.locator('svg.waveform path').count(), 2);
  for (const path of await newest.locator('svg.waveform path').all()) {
    const heights = [...((await path.getAttribute('d')) ?? '').matchAll(/ ([\d.]+)V([\d.]+)/g)].map(
      ([, from, to]) => Number(to) - Number(from),
    );
    assert.ok(heights.filter((height) => height > 5).length > 40, 'somebody speaks');
  }
  const played = (await page.evaluate(`Promise.all([...document.querySelector('article').querySelectorAll('audio')].map(
    async (audio) => {
      await audio.play();
      await new Promise((resolve) => audio.addEventListener('timeupdate', resolve, { once: true }));
      return audio.duration;
    }))`)) as number[];
  assert.equal(played.length, 2);
  for (const seconds of played) assert.ok(seconds > 5, `${seconds} s`);
  const events = (await ada.received(2)).map(({ event }) => event);
  assert.deepEqual(events, ['WIDGET_CALL_STARTED', 'WIDGET_CALL_ENDED']);
  await keepScreenshot(ada.page, 'stage-dialer');
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await axeViolations(page), []);
    await keepScreenshot(page, `stage-${colorScheme}`);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390);
  await keepScreenshot(page, 'stage-narrow');
  const operator = await browser.newPage();
  operator.setDefaultTimeout(patienceMs);
  await operator.goto(urlOf('The operations console') ?? '');
  await operator.getByRole('button', { name: 'Sign in' }).click();
  await operator.getByRole('link', { name: 'Grace' }).click();
  await operator.locator('tr[data-record]:nth-of-type(4)').waitFor();
  await operator.locator('#policies').getByText('Current').waitFor();
  await operator.locator('#registrations').getByText('Registered').waitFor();
  assert.equal(await operator.locator('.fault').count(), 0);
  await keepScreenshot(operator, 'stage-console');
  assert.deepEqual(complaints, []);

  const children = childrenOf(child.pid ?? 0);
  assert.ok(children.length > 0);
  // As a terminal does: to the whole process group.
  process.kill(-(child.pid ?? 0), 'SIGINT');
  const [code] = await closed;
  assert.equal(code, 0, output.stderr);
  assert.equal(JSON.parse(output.stdout).ok, true);
  await eventually(() => !children.some(isRunning), 'nothing runs any more');
});
