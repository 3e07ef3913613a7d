// Tells Kubernetes what this pod's end would cost, so that scaling in takes the emptiest pods. It owns one annotation of its own pod, and
// nothing waits for it: without Kubernetes' answer pods go in the usual order, and drain all the same.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { bounded } from './bounded.js';
import type { Logger } from './log.js';
import { pause } from './pause.js';

/** Read by the controllers of ReplicaSets, and by no others. */
const annotation = 'controller.kubernetes.io/pod-deletion-cost';
const lookMs = 1_000;
/** A refusal is a Status of some 300 bytes. */
const mostTold = 500;

/** This process's pod in the Kubernetes API. */
export interface OwnPod {
  /** `https://host[:port]/api/v1/namespaces/<namespace>/pods/<name>` */
  readonly url: string;
  /** Folder with `token` and `ca.crt`, which the kubelet renews: both are read before each request. */
  readonly credentials: string;
}

export interface DeletionCostOptions {
  readonly pod: OwnPod;
  /** What would be lost with this pod: its live calls or media sessions. */
  readonly cost: () => number;
  readonly log: Logger;
  /** At least between two writes, in ms: Kubernetes asks for few. */
  readonly everyMs?: number;
  /** What Kubernetes may take for an answer, in ms. */
  readonly answerMs?: number;
}

/** Writes the cost at the start and when it has changed, at most every 30 s; what fails is told once, and tried again. */
export class DeletionCost {
  readonly #options: DeletionCostOptions;
  readonly #closing = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: DeletionCostOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop ??= this.#keep();
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
  }

  async #keep(): Promise<void> {
    const { pod, cost, log, everyMs = 30_000, answerMs = 5_000 } = this.#options;
    const { signal } = this.#closing;
    // Not what is there: a container that was started again may have left the cost of calls that it has lost.
    let known: number | undefined;
    let told = false;
    while (!signal.aborted) {
      const now = cost();
      if (now === known) {
        await pause(Math.min(lookMs, everyMs), signal);
        continue;
      }
      try {
        await bounded(answerMs, signal, (within) => write(pod, now, within));
        known = now;
        told = false;
      } catch (error) {
        if (!signal.aborted && !told)
          log.warn(
            { err: error, pod: pod.url },
            'Kubernetes was not told what the end of this pod costs; trying again',
          );
        told = true;
      }
      await pause(everyMs, signal);
    }
  }
}

/**
 * By way of the pod's status: whoever may patch that can write annotations, but no image. RFC 7396.
 *
 * @throws what the API server or the connection says
 */
async function write({ url, credentials }: OwnPod, cost: number, signal: AbortSignal): Promise<void> {
  const token = readFileSync(join(credentials, 'token'), 'utf8').trim();
  const ca = readFileSync(join(credentials, 'ca.crt'));
  const body = JSON.stringify({ metadata: { annotations: { [annotation]: String(cost) } } });
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/merge-patch+json',
    'content-length': Buffer.byteLength(body),
  };
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = request(`${url}/status`, { method: 'PATCH', headers, ca, agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text = `${text}${chunk}`.slice(0, mostTold);
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
  if (status < 200 || status > 299) throw new Error(`PATCH ${url}/status was answered ${status}: ${text}`);
}
