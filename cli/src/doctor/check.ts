// What a doctor is made of: named checks, each a list of probes that find something out.
import type { Examined } from './examined.js';

/** `warn` goes on working, or will stop one day; `fail` needs somebody now; `skipped` can't be told, and `what` says why. */
export type State = 'ok' | 'warn' | 'fail' | 'skipped';

/** One thing that was found out. */
export interface Finding {
  readonly state: State;
  /** For people: what was seen. Never holds a secret. */
  readonly what: string;
  /** Path of a key of the configuration, or an address. */
  readonly where: string;
  /** What to do about it. */
  readonly todo?: string;
}

/** A finding with the name of its check. */
export interface Result extends Finding {
  readonly name: CheckName;
}

/** One question to one place, with a deadline of its own. */
export interface Probe {
  readonly where: string;
  /** What to do when it throws or gives no answer in time. */
  readonly todo: string;
  /** `skipped`: that nobody answers is a matter of another check. */
  readonly atDeadline?: 'skipped';
  /** What it throws is a failure. The signal aborts at the deadline; what comes later is not heard. */
  run(signal: AbortSignal): readonly Finding[] | Promise<readonly Finding[]>;
}

export interface Check {
  readonly name: CheckName;
  /** One line for `--help`. */
  readonly about: string;
  /** None: there is nothing of the kind in this deployment. */
  probes(examined: Examined): readonly Probe[];
}

/** In the order in which they are shown. */
export const checkNames = [
  ...(['config', 'certificates', 'addresses', 'ports', 'dns', 'clock', 'nats', 'rtpengine', 'edge'] as const),
  ...(['recorders', 'provider', 'trunks', 'issuers', 'collector'] as const),
] as const;

export type CheckName = (typeof checkNames)[number];

export function ok(where: string, what: string): Finding {
  return { state: 'ok', where, what };
}

export function warn(where: string, what: string, todo: string): Finding {
  return { state: 'warn', where, what, todo };
}

export function fail(where: string, what: string, todo: string): Finding {
  return { state: 'fail', where, what, todo };
}

export function skipped(where: string, what: string): Finding {
  return { state: 'skipped', where, what };
}

/** The gravest of several states. */
export function worst(states: readonly State[]): State {
  return (['fail', 'warn', 'ok'] as const).find((state) => states.includes(state)) ?? 'skipped';
}
