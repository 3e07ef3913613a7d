import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cif } from './cif.js';
import { type CifPage, loadCif } from './load-cif.js';

const library = 'https://org.crm4.dynamics.com/webresources/Widget/msdyn_ciLibrary.js';
const raiseEvent: Cif['raiseEvent'] = async () => true;

/** A page that notes in which order things happen to it; `run` is what the script does once it is added. */
function pageThat(run: (page: FakePage, script: FakeScript) => void, framework?: Partial<Cif>) {
  const page = new FakePage(run, framework);
  return { page, options: { page: page as unknown as CifPage, timeoutMs: 30_000 } };
}

class FakeScript {
  src = '';
  onerror: (() => void) | undefined;
  readonly attributes: Record<string, string> = {};
  remove: () => void = () => undefined;

  setAttribute(name: string, value: string): void {
    this.attributes[name] = value;
  }
}

class FakePage extends EventTarget {
  readonly location = { href: `https://dialer.example/?ucilib=${encodeURIComponent(library)}` };
  readonly steps: string[] = [];
  readonly document: object;
  script: FakeScript | undefined;
  scripts: FakeScript[] = [];
  Microsoft: { CIFramework?: Partial<Cif> } | undefined;

  constructor(run: (page: FakePage, script: FakeScript) => void, framework: Partial<Cif> | undefined) {
    super();
    if (framework) this.Microsoft = { CIFramework: framework };
    const append = (script: FakeScript) => {
      this.steps.push('script');
      this.script = script;
      this.scripts.push(script);
      script.remove = () => {
        this.scripts = this.scripts.filter((one) => one !== script);
      };
      run(this, script);
    };
    this.document = { referrer: '', createElement: () => new FakeScript(), head: { append } };
  }

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.steps.push(args[0]);
    super.addEventListener(...args);
  }
}

test('the ready event is listened to before the script is added, which may fire it at once', async () => {
  const { page, options } = pageThat((page) => {
    page.Microsoft = { CIFramework: { raiseEvent } };
    page.dispatchEvent(new Event('CIFInitDone'));
  });
  assert.equal((await loadCif(options)).raiseEvent, raiseEvent);
  assert.deepEqual(page.steps, ['CIFInitDone', 'script']);
  assert.equal(page.script?.src, library);
  assert.deepEqual(page.script.attributes, {
    'data-crmurl': 'https://org.crm4.dynamics.com',
    'data-cifid': 'CIFMainLibrary',
  });
});

test('a framework that is there already is taken as ready', async () => {
  const { page, options } = pageThat(() => undefined, { raiseEvent });
  assert.equal((await loadCif(options)).raiseEvent, raiseEvent);
  assert.deepEqual(page.steps, []);
});

test('a library without raiseEvent is too old', async () => {
  const { options } = pageThat((page) => {
    page.Microsoft = { CIFramework: {} };
    setTimeout(() => page.dispatchEvent(new Event('CIFInitDone')), 0);
  });
  await assert.rejects(loadCif(options), { code: 'too-old' });
});

test('a script that cannot be loaded is asked for again, and taken when it comes; no failed one is left in the page', async () => {
  let asked = 0;
  const { page, options } = pageThat((page, script) => {
    asked += 1;
    if (asked < 3) return void setTimeout(() => script.onerror?.(), 0);
    page.Microsoft = { CIFramework: { raiseEvent } };
    setTimeout(() => page.dispatchEvent(new Event('CIFInitDone')), 0);
  });
  const retries: string[] = [];
  const onRetry = ({ code }: { code: string }) => retries.push(code);
  assert.equal((await loadCif({ ...options, retryMs: 1, onRetry })).raiseEvent, raiseEvent);
  assert.deepEqual(retries, ['load-failed', 'load-failed']);
  assert.deepEqual(page.scripts, [page.script]);
});

test('a script that cannot be loaded, and one that never says that it is ready', async () => {
  const broken = pageThat((_, script) => script.onerror?.());
  await assert.rejects(loadCif({ ...broken.options, retryMs: 1, attempts: 3 }), { code: 'load-failed' });
  assert.deepEqual(broken.page.steps, Array(3).fill(['CIFInitDone', 'script']).flat());
  const silent = pageThat(() => undefined).options;
  await assert.rejects(loadCif({ ...silent, timeoutMs: 1 }), { code: 'no-init' });
});

test('no script is added from an origin that is not allowed', async () => {
  const { page, options } = pageThat(() => undefined);
  const allowedOrigins = ['https://crm.example'];
  await assert.rejects(loadCif({ ...options, allowedOrigins }), { code: 'origin-refused' });
  assert.deepEqual(page.steps, []);
});
