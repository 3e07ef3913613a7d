// What admission sees of the load, as numbers: calls of each trunk and whether this process has too much to do.
import { Gauge, type Registry } from 'prom-client';
import type { CallGuard } from '../domain/call-guard.js';
import type { Overload } from '../domain/overload.js';

/** The gauges are read when somebody looks. */
export function observeAdmission(
  registry: Registry,
  {
    guard,
    overload,
    maxCalls,
  }: {
    guard: Pick<CallGuard, 'calls'>;
    overload: Overload;
    maxCalls: number;
  },
): void {
  const registers = [registry];
  const limit = new Gauge({
    name: 'sidestream_calls_limit',
    help: 'How many calls this instance may have at a time: signalling.maxCalls.',
    registers,
  });
  limit.set(maxCalls);
  new Gauge({
    name: 'sidestream_trunk_calls',
    help: 'Live calls by trunk, those from it and those to it.',
    labelNames: ['trunk'],
    registers,
    collect() {
      for (const [trunk, calls] of guard.calls) this.set({ trunk }, calls);
    },
  });
  new Gauge({
    name: 'sidestream_overloaded',
    help: '1 while new calls are refused because the event loop lags or memory runs out.',
    registers,
    collect() {
      this.set(overload.problem === undefined ? 0 : 1);
    },
  });
}
