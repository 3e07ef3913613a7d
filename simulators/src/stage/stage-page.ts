/**
 * A page beside a running Sidestream: buttons that place calls, and each recording's voices to see and to hear. It knows the recorder; the
 * calls are placed by who started it.
 */
import { file } from '../pages/page-files.js';
import { type Page, PageServer, plain } from '../pages/page-server.js';
import type { RecorderSession } from '../recorder/recorder-session.js';
import type { RecorderSimulator } from '../recorder/recorder-simulator.js';
import { type RecordedVoice, recordedVoices, voiceFile } from './recorded-voices.js';

export interface StagePageOptions {
  readonly recorder: RecorderSimulator;
  /** Other pages, in order. */
  readonly links: readonly { readonly title: string; readonly url: string }[];
  readonly calls: readonly { readonly id: string; readonly title: string }[];
  /** Places one of `calls` and resolves, when it is over, with what became of it. */
  readonly place: (id: string, onProgress: (what: string) => void) => Promise<string>;
  readonly port?: number;
}

interface ShownRecording {
  readonly callId: string;
  readonly startedAt: string;
  readonly voices: readonly RecordedVoice[];
}

const maxRecordings = 20;

export class StagePage {
  readonly #options: StagePageOptions;
  readonly #shown = new Map<RecorderSession, Promise<ShownRecording | undefined>>();
  #server: PageServer | undefined;
  #progress = 'No call so far';
  #running: Promise<void> | undefined;

  private constructor(options: StagePageOptions) {
    this.#options = options;
  }

  static async start(options: StagePageOptions): Promise<StagePage> {
    const stage = new StagePage(options);
    stage.#server = await PageServer.start({
      policy: () => "default-src 'self'",
      routes: {
        'GET /': file('stage.html'),
        'GET /stage.js': file('stage.js'),
        'GET /style.css': file('style.css'),
        'GET /stage.json': async () => ({ body: JSON.stringify(await stage.#state()) }),
        'GET /voices/*': ({ pathname }) => stage.#voice(pathname),
        'POST /calls/*': ({ pathname }) => stage.#place(decodeURIComponent(pathname.slice('/calls/'.length))),
      },
      ...(options.port !== undefined && { port: options.port }),
    });
    return stage;
  }

  get url(): string {
    return `${this.#server?.origin}/`;
  }

  /** Ends the page, and waits for the end of a call that it has placed. */
  async close(): Promise<void> {
    await this.#server?.close();
    await this.#running;
  }

  async #state(): Promise<object> {
    const { links, calls } = this.#options;
    return {
      links,
      calls,
      progress: this.#progress,
      busy: this.#running !== undefined,
      recordings: (await Promise.all(this.#sessions().map((session) => this.#show(session)))).filter(Boolean),
    };
  }

  /** The newest that are over. */
  #sessions(): RecorderSession[] {
    return this.#options.recorder.sessions.filter(({ endedAt }) => endedAt !== undefined).slice(-maxRecordings);
  }

  #show(session: RecorderSession): Promise<ShownRecording | undefined> {
    const known = this.#shown.get(session);
    if (known) return known;
    const { callId, startedAt } = session;
    const shown = session.ended
      .then(async () => ({
        callId,
        startedAt: new Date(startedAt).toISOString(),
        voices: await recordedVoices(session),
      }))
      // A recording without files, or one that is broken, is not shown; the recorder's findings say why.
      .catch(() => undefined);
    this.#shown.set(session, shown);
    const [oldest] = this.#shown.keys();
    if (this.#shown.size > maxRecordings && oldest) this.#shown.delete(oldest);
    return shown;
  }

  async #voice(path: string): Promise<Page> {
    const [, callId, label] = /^\/voices\/([^/]+)\/([^/]+)\.wav$/.exec(path) ?? [];
    const session = this.#sessions().find((each) => each.callId === decodeURIComponent(callId ?? ''));
    const body = session && label && (await voiceFile(session, decodeURIComponent(label)));
    return body ? { type: 'audio/wav', body } : plain(404, 'no such voice');
  }

  #place(id: string): Page {
    const call = this.#options.calls.find((each) => each.id === id);
    if (!call) return plain(404, `there is no call ${id}`);
    if (this.#running) return plain(409, 'one call after the other');
    const say = (what: string) => {
      this.#progress = `${call.title}: ${what}`;
    };
    say('calling');
    this.#running = this.#options
      .place(id, say)
      .then(say, (error: unknown) => say(`failed: ${String(error)}`))
      .finally(() => {
        this.#running = undefined;
      });
    return plain(202, 'calling');
  }
}
