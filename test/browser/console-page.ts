// The console in a browser, on a gateway that does what a test wants.
import assert from 'node:assert/strict';
import { after, type TestContext } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { axeViolations, keepScreenshot, launchBrowser } from './browser.js';
import { liveCall, PlayedConsole, recording, voices } from './played-console.js';

const patienceMs = 60_000;
const desk = { width: 1300, height: 900 };

let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

export interface ConsolePage {
  readonly gateway: PlayedConsole;
  readonly page: Page;
  readonly context: BrowserContext;
}

/** A console that somebody has signed in to, once it shows something. */
export async function consoleOf(
  t: TestContext,
  prepare = (_: PlayedConsole) => {},
  viewport = desk,
): Promise<ConsolePage> {
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
export async function inspect(page: Page, name: string): Promise<void> {
  const { width } = page.viewportSize() ?? desk;
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width, `${name} is too wide`);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await axeViolations(page), [], `${name}, ${colorScheme}`);
    await keepScreenshot(page, `console-${name}-${colorScheme}`);
  }
}

/** Calls in the states that there are. */
export const several = (gateway: PlayedConsole) => {
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
