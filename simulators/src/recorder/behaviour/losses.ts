/** Recorders that are lost: reset connections, dead processes, forgotten dialogs, far networks. */
import type { Behaviour } from './behaviour.js';
import { isInDialog } from './refusals.js';

/** Resets every connection before an INVITE can be sent on it. */
export function resetBeforeInvite(): Behaviour {
  return { admitsConnections: false };
}

/** Resets the connection that brings an INVITE, without an answer. */
export function resetOnInvite(): Behaviour {
  return { screen: (request) => (request.method === 'INVITE' && !isInDialog(request) ? 'reset' : undefined) };
}

/** Resets the connection so long after the answer, and knows the dialog as before. */
export function resetAfter(delayMs: number): Behaviour {
  return { answered: (session) => session.after(delayMs, () => session.resetConnection()) };
}

/** Is stopped so long after its first answer, as a process that hangs: its sockets are open, and nothing is read or said. */
export function deadAfter(delayMs: number): Behaviour {
  let dead = false;
  return {
    frozen: () => dead,
    answered: (session) =>
      session.after(delayMs, () => {
        dead = true;
        session.stopMedia();
      }),
  };
}

/** Takes no packet and sends no RTCP any more so long after its answer, and does on SIP all that it should. */
export function swallowAfter(delayMs: number): Behaviour {
  return { answered: (session) => session.after(delayMs, () => session.stopMedia()) };
}

/** Does not answer OPTIONS within a dialog, as recorders that know no OPTIONS do. */
export function ignoreOptions(): Behaviour {
  return { screen: (request) => (request.method === 'OPTIONS' && isInDialog(request) ? 'silence' : undefined) };
}

/** Answers no keep-alive (RFC 5626 §3.5.1): whoever sends them can't tell by them whether it lives. */
export function ignorePings(): Behaviour {
  return { answersPings: false };
}

/** Answers everything within a dialog 481, as a recorder that has restarted does. */
export function forgetDialogs(): Behaviour {
  return { screen: (request) => (isInDialog(request) && request.method !== 'ACK' ? { status: 481 } : undefined) };
}

/** Restarts so long after its first answer: connections end, and what comes back after `downMs` knows no dialog. */
export function restartAfter(delayMs: number, downMs: number): Behaviour {
  let restarted = false;
  return {
    answered: (session) => {
      if (restarted) return;
      restarted = true;
      session.after(delayMs, () => session.restartRecorder(downMs));
    },
  };
}

/** Is far away: so much later each way, on SIP and on media. */
export function networkDelay(delayMs: number): Behaviour {
  return { networkDelayMs: delayMs };
}
