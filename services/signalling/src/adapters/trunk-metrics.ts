// The numbers of trunks. Labels are names of the configuration, so that there are never more series than it has targets.
import type { Target, Trunk } from '@sidestream/routing';
import { Gauge, type Registry } from 'prom-client';
import { nameOf } from '../domain/target-states.js';

/** @param isUp asked at each scrape */
export function measureTargets(
  metrics: Registry,
  targets: readonly (Target & { readonly trunk: Trunk })[],
  isUp: (target: Target) => boolean,
): void {
  new Gauge({
    name: 'sidestream_trunk_target_up',
    help: 'Whether a target answers OPTIONS: 0 no, 1 yes or never asked. One that does not is tried last.',
    labelNames: ['trunk', 'target'],
    registers: [metrics],
    collect() {
      for (const target of targets)
        this.set({ trunk: target.trunk.name, target: nameOf(target) }, isUp(target) ? 1 : 0);
    },
  });
}
