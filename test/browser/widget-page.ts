// The widget in the simulated Dynamics 365, as a test sees it.
import type { DialerPages } from '@sidestream/simulators';
import type { Browser, BrowserContext, FrameLocator, Page } from 'playwright-core';

/** An event that the host has received. */
export interface ReceivedEvent {
  readonly event: string;
  readonly callId: string;
  /** Whether a Date came through. */
  readonly dates: boolean;
}

export class WidgetPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly widget: FrameLocator;
  /** What the browser complained of. */
  readonly complaints: string[] = [];

  private constructor(page: Page, context: BrowserContext) {
    this.page = page;
    this.context = context;
    this.widget = page.frameLocator('#widget');
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && this.complaints.push(message.text()));
    page.setDefaultTimeout(30_000);
  }

  static open(browser: Browser, pages: DialerPages, query: Record<string, string>): Promise<WidgetPage> {
    return WidgetPage.openUrl(browser, `${pages.hostUrl}?${new URLSearchParams(query)}`);
  }

  /** @param url of the host's page */
  static async openUrl(browser: Browser, url: string): Promise<WidgetPage> {
    const context = await browser.newContext({ viewport: { width: 1200, height: 700 } });
    const widget = new WidgetPage(await context.newPage(), context);
    await widget.page.goto(url);
    return widget;
  }

  /** Resolves once the connection is in that state. */
  connection(state: 'connected' | 'waiting' | 'stopped'): Promise<void> {
    return this.widget.locator(`#connection[data-state="${state}"]`).waitFor();
  }

  cif(state: string): Promise<void> {
    return this.widget.locator(`#cif[data-state="${state}"]`).waitFor();
  }

  /** What the newest event said of isCallStarted. */
  async saidStarted(): Promise<string | null> {
    return await this.page.locator('#events tr').first().getAttribute('data-started');
  }

  /** Resolves once the host has received that many events; what comes later is for an event after it to show. */
  async received(count: number): Promise<ReceivedEvent[]> {
    if (count > 0) await this.page.locator(`#events tr:nth-child(${count})`).waitFor();
    const rows = await this.page.locator('#events tr').all();
    const events = rows.map(async (row) => ({
      event: (await row.getAttribute('data-event')) ?? '',
      callId: (await row.getAttribute('data-call')) ?? '',
      dates: (await row.getAttribute('data-dates')) === 'true',
    }));
    return (await Promise.all(events)).reverse();
  }

  async text(id: string): Promise<string> {
    return (await this.widget.locator(`#${id}`).textContent()) ?? '';
  }
}
