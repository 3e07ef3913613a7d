import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { chromiumMissing, eventually } from '@sidestream/peers';
import { DialerPages, type DialerPagesOptions } from '@sidestream/simulators';
import type { Browser } from 'playwright-core';
import { axeViolations, keepScreenshot, launchBrowser } from './browser.js';
import { PlayedGateway } from './played-gateway.js';
import { type ReceivedEvent, WidgetPage } from './widget-page.js';

const skip = chromiumMissing();
let browser: Browser;

before(async () => {
  if (skip === undefined) browser = await launchBrowser();
});
after(() => browser?.close());

async function stage(t: TestContext, query: Record<string, string> = {}, options: Partial<DialerPagesOptions> = {}) {
  const gateway = await PlayedGateway.start();
  t.after(() => gateway.close());
  const token = async ({ seller }: { seller: string }) => `token of ${seller}`;
  const pages = await DialerPages.start({ gatewayUrl: gateway.url, token, ...options });
  t.after(() => pages.close());
  const widget = await WidgetPage.open(browser, pages, { seller: 'ada', ...query });
  t.after(() => widget.context.close());
  return { gateway, widget };
}

/** All events that the host has received, once a further one has come that is sent last: none of them comes again behind its back. */
async function allReceived({ gateway, widget }: Awaited<ReturnType<typeof stage>>): Promise<ReceivedEvent[]> {
  gateway.send('WIDGET_CALL_ENDED', 'last');
  await widget.page.locator('#events tr[data-call="last"]').waitFor();
  const events = await widget.received(1);
  assert.equal(events.at(-1)?.callId, 'last');
  return events.slice(0, -1);
}

test('both events reach Dynamics 365 in order, once, with Dates; the widget shows the call', { skip }, async (t) => {
  const scene = await stage(t);
  const { gateway, widget } = scene;
  await widget.connection('connected');
  await widget.cif('ready');
  gateway.send('WIDGET_CALL_STARTED', 'c0ffee');
  await widget.received(1);
  await widget.widget.locator('#call[data-state="recorded"]').waitFor();
  assert.equal(await widget.text('call-who'), 'Call from Carla Müller +4915112345678');
  await widget.widget.locator('#log [data-raised="true"]').waitFor();
  await keepScreenshot(widget.page, 'widget-recorded');
  gateway.send('WIDGET_CALL_ENDED', 'c0ffee');
  assert.deepEqual(await allReceived(scene), [
    { event: 'WIDGET_CALL_STARTED', callId: 'c0ffee', dates: true },
    { event: 'WIDGET_CALL_ENDED', callId: 'c0ffee', dates: true },
  ]);
  assert.deepEqual(widget.complaints, []);
});

test('a connection that ends: resumed behind the last event, nothing twice', { skip }, async (t) => {
  const scene = await stage(t);
  const { gateway, widget } = scene;
  await widget.connection('connected');
  gateway.send('WIDGET_CALL_STARTED', 'c0ffee');
  await widget.received(1);
  gateway.dismiss(1001, 'restart');
  await widget.connection('waiting');
  gateway.send('WIDGET_CALL_ENDED', 'c0ffee');
  await widget.received(2);
  assert.deepEqual(
    (await allReceived(scene)).map(({ event }) => event),
    ['WIDGET_CALL_STARTED', 'WIDGET_CALL_ENDED'],
  );
  assert.deepEqual(
    gateway.greetings.map(({ lastEventId }) => lastEventId),
    [undefined, '1'],
  );
});

test('a page that is loaded again in mid-call goes on where it was, and knows that the call was started', {
  skip,
}, async (t) => {
  const scene = await stage(t);
  const { gateway, widget } = scene;
  await widget.connection('connected');
  gateway.send('WIDGET_CALL_STARTED', 'c0ffee');
  await widget.widget.locator('#log [data-raised="true"]').waitFor();
  await widget.page.reload();
  await widget.connection('connected');
  gateway.send('WIDGET_CALL_ENDED', 'c0ffee');
  await widget.received(1);
  assert.equal(await widget.saidStarted(), 'true');
  assert.deepEqual(
    (await allReceived(scene)).map(({ event }) => event),
    ['WIDGET_CALL_ENDED'],
  );
});

test('a page that is loaded again before its first event hears what began meanwhile', { skip }, async (t) => {
  const { gateway, widget } = await stage(t);
  await widget.connection('connected');
  await widget.page.goto('about:blank');
  gateway.send('WIDGET_CALL_STARTED', 'c0ffee');
  await widget.page.goBack();
  assert.deepEqual(
    (await widget.received(1)).map(({ event }) => event),
    ['WIDGET_CALL_STARTED'],
  );
  gateway.send('WIDGET_CALL_ENDED', 'c0ffee');
  await widget.received(2);
  assert.equal(await widget.saidStarted(), 'true');
});

test('a page that is opened in mid-call: the end says that nothing was started', { skip }, async (t) => {
  const { gateway, widget } = await stage(t);
  await widget.connection('connected');
  gateway.send('WIDGET_CALL_ENDED', 'c0ffee');
  await widget.received(1);
  assert.equal(await widget.saidStarted(), 'false');
});

test('a library that comes late is asked for again, and what happened meanwhile is raised', { skip }, async (t) => {
  const { gateway, widget } = await stage(t);
  let asked = 0;
  await widget.context.route('**/msdyn_ciLibrary.js*', (route) => {
    asked += 1;
    return asked === 1 ? route.abort() : route.continue();
  });
  await widget.page.reload();
  await widget.connection('connected');
  gateway.send('WIDGET_CALL_STARTED', 'c0ffee');
  await widget.received(1);
  assert.equal(asked, 2);
});

test('payload=json: Dynamics 365 gets a string', { skip }, async (t) => {
  const { gateway, widget } = await stage(t, { payload: 'json' });
  await widget.connection('connected');
  gateway.send('WIDGET_CALL_STARTED', 'c0ffee');
  assert.deepEqual(await widget.received(1), [{ event: 'WIDGET_CALL_STARTED', callId: 'c0ffee', dates: false }]);
});

test('a CIF without raiseEvent: nothing is raised, and the widget says so', { skip }, async (t) => {
  const { gateway, widget } = await stage(t, { behaviour: 'old' });
  await widget.cif('too-old');
  await widget.connection('connected');
  gateway.send('WIDGET_CALL_STARTED', 'c0ffee');
  await widget.widget.locator('#log [data-raised="false"]').waitFor();
  assert.deepEqual(await widget.received(0), []);
  await keepScreenshot(widget.page, 'widget-old-cif');
});

for (const behaviour of ['refuse', 'slow'])
  test(`a host that would ${behaviour} events: three attempts, then the widget says so`, { skip }, async (t) => {
    const { gateway, widget } = await stage(t, { behaviour }, { slowMs: 300_000, cifTimeoutMs: 200 });
    await widget.connection('connected');
    gateway.send('WIDGET_CALL_STARTED', 'c0ffee');
    await widget.widget.locator('#log [data-raised="false"]').waitFor();
    const events = await widget.received(3);
    assert.deepEqual(
      events.map(({ callId }) => callId),
      ['c0ffee', 'c0ffee', 'c0ffee'],
    );
  });

test('a call that is not recorded: nothing is raised, the widget says why', { skip }, async (t) => {
  const scene = await stage(t);
  const { gateway, widget } = scene;
  await widget.connection('connected');
  gateway.send('CALL_NOT_RECORDED', 'c0ffee');
  await widget.widget.locator('#call[data-state="not-recorded"]').waitFor();
  assert.equal(await widget.text('call-recording'), 'Not recorded: recorder-unreachable');
  await keepScreenshot(widget.page, 'widget-not-recorded');
  assert.deepEqual(await allReceived(scene), []);
});

test('a user who may not: stopped, with the reason', { skip }, async (t) => {
  const { gateway, widget } = await stage(t);
  await widget.connection('connected');
  gateway.dismiss(4403, 'origin');
  await widget.connection('stopped');
  assert.match(await widget.text('connection'), /forbidden origin/);
  assert.equal(gateway.greetings.length, 1);
});

test('no network in the browser: the widget says so, and is back by itself', { skip }, async (t) => {
  const scene = await stage(t);
  const { gateway, widget } = scene;
  await widget.connection('connected');
  await widget.context.setOffline(true);
  await widget.connection('waiting');
  gateway.send('WIDGET_CALL_STARTED', 'c0ffee');
  await widget.context.setOffline(false);
  await widget.connection('connected');
  assert.deepEqual(
    (await allReceived(scene)).map(({ event }) => event),
    ['WIDGET_CALL_STARTED'],
  );
  await eventually(() => gateway.greetings.length >= 2, 'it has come back');
});

for (const colorScheme of ['light', 'dark'] as const)
  test(`axe-core finds nothing wrong, ${colorScheme}`, { skip }, async (t) => {
    const { gateway, widget } = await stage(t);
    await widget.page.emulateMedia({ colorScheme });
    await widget.connection('connected');
    gateway.send('WIDGET_CALL_STARTED', 'c0ffee');
    await widget.received(1);
    await widget.widget.locator('#log [data-raised="true"]').waitFor();
    for (const frame of widget.page.frames()) assert.deepEqual(await axeViolations(frame), []);
    await keepScreenshot(widget.page, `widget-${colorScheme}`);
  });

test('a narrow window: the widget comes first, and nothing has to be scrolled sideways', { skip }, async (t) => {
  const { gateway, widget } = await stage(t);
  await widget.page.setViewportSize({ width: 390, height: 844 });
  await widget.connection('connected');
  gateway.send('WIDGET_CALL_STARTED', 'c0ffee'.repeat(6));
  await widget.received(1);
  await widget.widget.locator('#log [data-raised="true"]').waitFor();
  for (const frame of widget.page.frames()) {
    const { scroll, width } = await frame.evaluate<{ scroll: number; width: number }>(
      '({ scroll: document.documentElement.scrollWidth, width: innerWidth })',
    );
    assert.ok(scroll <= width, `${frame.url()}: ${scroll} > ${width}`);
    assert.deepEqual(await axeViolations(frame), []);
  }
  await keepScreenshot(widget.page, 'widget-narrow');
});
