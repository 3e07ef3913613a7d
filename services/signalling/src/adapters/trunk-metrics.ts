// The numbers of trunks. Labels are names of the configuration, so that there are never more series than it has targets.
import type { Target, Trunk } from '@sidestream/routing';
import { Gauge, type Registry } from 'prom-client';
import { nameOf } from '../domain/target-states.js';
import type { RegistrationState } from '../domain/trunk-registration.js';

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

/** @param states asked at each scrape */
export function measureRegistrations(metrics: Registry, states: () => Iterable<RegistrationState>): void {
  new Gauge({
    name: 'sidestream_trunk_registered',
    help: 'Whether the trunk is registered at its carrier: 0 no, 1 yes.',
    labelNames: ['trunk'],
    registers: [metrics],
    collect() {
      for (const { trunk, registered } of states()) this.set({ trunk: trunk.name }, registered ? 1 : 0);
    },
  });
}
