// Pages in Debian's chromium: one browser per test file, screenshots under out/, accessibility by axe-core.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { chromiumOptions } from '@sidestream/peers';
import type { AxeResults } from 'axe-core';
import { type Browser, chromium, type Frame, type Page } from 'playwright-core';

const screenshots = fileURLToPath(new URL('../../../out/browser/', import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ ...chromiumOptions(), timeout: 60_000 });
}

/** Keeps `out/browser/<name>.png` for people. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: `${screenshots}${name}.png`, fullPage: true });
}

/** What axe-core finds wrong in a page or frame, one line each; frames inside are not entered. */
export async function axeViolations(frame: Page | Frame): Promise<string[]> {
  // Evaluated by the debugger, which no Content-Security-Policy forbids.
  await frame.evaluate(axe);
  const results = (await frame.evaluate('axe.run(document, { iframes: false })')) as AxeResults;
  return results.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`);
}
