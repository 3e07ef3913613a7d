// Reads one policy text in a thread of its own, which ends with it. Started by policy-parser.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { PolicyError, parsePolicyFile } from '@sidestream/policy';
import type { PolicyText, PolicyVerdict } from './policy-parser.js';

function verdict({ content, file }: PolicyText): PolicyVerdict {
  try {
    return { bytes: parsePolicyFile(content, file).bytes };
  } catch (error) {
    // An error loses its class on the way to another thread.
    if (error instanceof PolicyError) return { problems: error.problems };
    throw error;
  }
}

const text: PolicyText = workerData;
const answer = verdict(text);
parentPort?.postMessage(answer, 'bytes' in answer ? [answer.bytes.buffer] : []);
