// A real call through Sidestream and its gateway, as the seller's widget and Dynamics 365 see it.
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { type LaboratoryConfig, listedSeller, ServiceProcess, unlistedSeller } from '@sidestream/cli';
import { chromiumMissing, eventually, freeTcpPort } from '@sidestream/peers';
import { DialerPages, IssuerSimulator, TcpFront } from '@sidestream/simulators';
import type { Browser } from 'playwright-core';
import { Stage } from '../e2e/stage.js';
import { keepScreenshot, launchBrowser } from './browser.js';
import { WidgetPage } from './widget-page.js';

const skip = chromiumMissing();
const host = '127.0.0.1';
const startTimeoutMs = 30_000;
let browser: Browser;

before(async () => {
  if (skip === undefined) browser = await launchBrowser();
});
after(() => browser?.close());

/** Sidestream with a gateway behind a network that can be cut, and widgets in the simulated Dynamics 365. */
async function stageOf(t: TestContext, lifetimeS: (request: { refresh: boolean }) => number = () => 3_600) {
  const asked: boolean[] = [];
  const issuer = await IssuerSimulator.start({ audience: 'sidestream' });
  t.after(() => issuer.close());
  const port = await freeTcpPort(host);
  let isCut = false;
  const network = { inner: { host, port }, delayMs: () => 0, admits: () => !isCut, frozen: () => false };
  const front = await TcpFront.open({ host, port: 0, ...network });
  t.after(() => front.close());
  const pages = await DialerPages.start({
    gatewayUrl: `ws://${host}:${front.address.port}/dialer/v1/events`,
    token: ({ seller, refresh }) => {
      asked.push(refresh);
      return issuer.mint({ oid: seller, expiresInS: lifetimeS({ refresh }) });
    },
  });
  t.after(() => pages.close());
  const configure = (config: LaboratoryConfig) => {
    config.gateway = {
      listen: `${host}:${port}`,
      issuers: [{ tenant: 'contoso', issuer: issuer.issuer, audience: issuer.audience }],
      origins: [pages.widgetOrigin],
    };
  };
  const stage = await Stage.start(t, { configure });
  if (!stage) return undefined;
  const { laboratory } = stage;
  return {
    stage,
    /** The tokens that the widget's page has asked for: whether they had to be new ones. */
    asked,
    widgetOf: async (seller: { id: string }) => {
      const widget = await WidgetPage.open(browser, pages, { seller: seller.id });
      t.after(() => widget.context.close());
      await widget.connection('connected');
      return widget;
    },
    cut: () => {
      isCut = true;
      front.reset();
    },
    mend: () => {
      isCut = false;
    },
    stopGateway: async () => laboratory.deployment.services.get('gateway')?.stop(startTimeoutMs),
    startGateway: async () => {
      const environment = { SIDESTREAM_CONFIG: laboratory.configFile };
      const gateway = new ServiceProcess({ name: 'gateway', environment, onLog: () => undefined });
      t.after(() => gateway.stop(startTimeoutMs));
      await gateway.ready(startTimeoutMs);
    },
  };
}

test('both events of a call reach its seller, once and in order, under the Call-ID of the recorder; nobody else', {
  skip,
}, async (t) => {
  const scene = await stageOf(t);
  if (!scene) return;
  const { stage, widgetOf } = scene;
  const ada = await widgetOf(listedSeller);
  const bob = await widgetOf(unlistedSeller);
  const call = await stage.inbound();
  await ada.widget.locator('#call[data-state="recorded"]').waitFor();
  await ada.received(1);
  await keepScreenshot(ada.page, 'call-recorded');
  await call.customer.hangUp();
  const [session] = stage.laboratory.recorder.sessions;
  assert.deepEqual(await ada.received(2), [
    { event: 'WIDGET_CALL_STARTED', callId: session?.callId, dates: true },
    { event: 'WIDGET_CALL_ENDED', callId: session?.callId, dates: true },
  ]);
  await keepScreenshot(ada.page, 'call-ended');
  // A further call of Ada's has been told of: had the first been Bob's business, too, he would know by now.
  const second = await stage.inbound();
  await ada.received(3);
  await second.customer.hangUp();
  assert.equal((await ada.received(4)).length, 4);
  assert.deepEqual(await bob.received(0), []);
  assert.deepEqual(ada.complaints, []);
});

const eventNames = async (widget: WidgetPage, count: number) =>
  (await widget.received(count)).map(({ event }) => event);
const bothEvents = ['WIDGET_CALL_STARTED', 'WIDGET_CALL_ENDED'];

test('a call that ends while the gateway restarts: its end comes afterwards, nothing twice', { skip }, async (t) => {
  const scene = await stageOf(t);
  if (!scene) return;
  const { stage, widgetOf, stopGateway, startGateway } = scene;
  const ada = await widgetOf(listedSeller);
  const call = await stage.inbound();
  await ada.received(1);
  await stopGateway();
  await ada.connection('waiting');
  await call.customer.hangUp();
  await eventually(() => stage.laboratory.bodies('callEnded').length === 1, 'the call has ended');
  await startGateway();
  assert.deepEqual(await eventNames(ada, 2), bothEvents);
  await ada.connection('connected');
  // A further call comes last: nothing of the first was told again before it.
  const second = await stage.inbound();
  assert.deepEqual(await eventNames(ada, 3), [...bothEvents, 'WIDGET_CALL_STARTED']);
  await second.customer.hangUp();
});

test('a call that ends while the network is cut: its end comes afterwards, nothing twice', { skip }, async (t) => {
  const scene = await stageOf(t);
  if (!scene) return;
  const { stage, widgetOf, cut, mend } = scene;
  const ada = await widgetOf(listedSeller);
  const call = await stage.outbound();
  await ada.received(1);
  cut();
  await ada.connection('waiting');
  await call.customer.hangUp();
  await eventually(() => stage.laboratory.bodies('callEnded').length === 1, 'the call has ended');
  mend();
  assert.deepEqual(await eventNames(ada, 2), bothEvents);
  const second = await stage.inbound();
  assert.deepEqual(await eventNames(ada, 3), [...bothEvents, 'WIDGET_CALL_STARTED']);
  await second.customer.hangUp();
});

test('a widget that is loaded again while it rings, and again in mid-call: both events, and the end knows of the start', {
  skip,
}, async (t) => {
  const scene = await stageOf(t);
  if (!scene) return;
  const { stage, widgetOf } = scene;
  const ada = await widgetOf(listedSeller);
  await ada.page.goto('about:blank');
  const call = await stage.inbound();
  await eventually(() => stage.laboratory.bodies('recordingStarted').length === 1, 'it is recorded');
  await ada.page.goBack();
  assert.deepEqual(await eventNames(ada, 1), ['WIDGET_CALL_STARTED']);
  await ada.widget.locator('#log [data-raised="true"]').waitFor();
  await ada.page.reload();
  await ada.connection('connected');
  await call.customer.hangUp();
  assert.deepEqual(await eventNames(ada, 1), ['WIDGET_CALL_ENDED']);
  assert.equal(await ada.saidStarted(), 'true');
});

test('a token that runs out is renewed in place, one that has run out by a connection of its own', {
  skip,
}, async (t) => {
  // The gateway asks for another one at half the time of one that is so short.
  let first = true;
  const scene = await stageOf(t, ({ refresh }) => {
    const lifetimeS = refresh ? (first ? 10 : 3_600) : -60;
    if (refresh) first = false;
    return lifetimeS;
  });
  if (!scene) return;
  const { stage, widgetOf, asked } = scene;
  const ada = await widgetOf(listedSeller);
  await eventually(() => asked.length === 3, 'refused, renewed, renewed in place', startTimeoutMs);
  assert.deepEqual(asked, [false, true, true]);
  const call = await stage.inbound();
  assert.deepEqual(await eventNames(ada, 1), ['WIDGET_CALL_STARTED']);
  await call.customer.hangUp();
  assert.deepEqual(asked, [false, true, true]);
});
