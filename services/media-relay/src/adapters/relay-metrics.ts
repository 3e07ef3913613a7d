// What the relay tells Prometheus.
import { fromZero, TracedHistogram } from '@sidestream/service';
import type { Registry } from 'prom-client';
import { Counter, Gauge, Histogram } from 'prom-client';
import { forkConditions } from '../domain/fork-condition.js';
import type { ForkMonitor } from '../domain/fork-monitor.js';
import { lossReasons } from '../domain/ports.js';
import type { Relay } from '../domain/relay.js';
import type { NgObserver } from './ng-client.js';

/** Counts the ng commands: duration by command and outcome, retransmissions, ignored datagrams. */
export function ngMetrics(registry: Registry): Required<NgObserver> {
  const registers = [registry];
  const seconds = new TracedHistogram({
    name: 'sidestream_ng_request_seconds',
    help: 'Time until an ng command was settled, by command and outcome (ok or kind of failure).',
    labelNames: ['command', 'outcome'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const retransmissions = new Counter({
    name: 'sidestream_ng_retransmissions_total',
    help: 'Ng datagrams sent again because no reply came, by command.',
    labelNames: ['command'],
    registers,
  });
  const ignored = new Counter({
    name: 'sidestream_ng_datagrams_ignored_total',
    help: 'Datagrams from the engine that answer no command in flight: late, doubled or garbage.',
    registers,
  });
  return {
    finished: (command, outcome, duration, span) => seconds.record({ command, outcome }, duration, span),
    retransmitted: (command) => retransmissions.inc({ command }),
    ignored: () => ignored.inc(),
  };
}

/** Gauges of what the relay holds, read at each scrape, and counts of what it lost. */
export function relayMetrics(registry: Registry, relay: Relay, forks: ForkMonitor): { engineUp(up: boolean): void } {
  const registers = [registry];
  new Gauge({
    name: 'sidestream_media_sessions',
    help: 'Media sessions that this relay owns.',
    registers,
    collect() {
      this.set(relay.sessionCount);
    },
  });
  new Gauge({
    name: 'sidestream_media_forks',
    help: 'Forks of these sessions, by phase (offered, answered, paused, doubtful).',
    labelNames: ['phase'],
    registers,
    collect() {
      this.reset();
      for (const phase of ['offered', 'answered', 'paused', 'doubtful']) this.set({ phase }, 0);
      for (const { forks } of relay.sessions()) for (const { phase } of forks.values()) this.inc({ phase });
    },
  });
  const lost = new Counter({
    name: 'sidestream_media_sessions_lost_total',
    help: 'Sessions that the engine no longer had, by reason.',
    labelNames: ['reason'],
    registers,
  });
  fromZero(lost, { reason: lossReasons });
  relay.onLost(({ reason }) => lost.inc({ reason }));
  const lostPackets = new Counter({
    name: 'sidestream_media_packets_lost_total',
    help: 'RTP packets that did not arrive, of ended sessions, as the RTCP of parties and recorders tells.',
    registers,
  });
  const mos = new Histogram({
    name: 'sidestream_media_mos',
    help: 'Mean opinion score of each stream of ended sessions, 1 to 5, as rtpengine estimates it from RTCP.',
    buckets: [1, 2, 2.5, 3, 3.25, 3.5, 3.75, 4, 4.25, 4.5],
    registers,
  });
  relay.onEnded(({ receptions }) => {
    for (const one of receptions) {
      lostPackets.inc(one.lostPackets);
      mos.observe(one.mos);
    }
  });
  const conditions = new Counter({
    name: 'sidestream_media_fork_changes_total',
    help: 'Forks that stop doing their work (stalled, recorder-silent), begin it or do it again (flowing).',
    labelNames: ['condition'],
    registers,
  });
  fromZero(conditions, { condition: forkConditions });
  forks.onChange(({ condition }) => conditions.inc({ condition }));
  const up = new Gauge({ name: 'sidestream_media_engine_up', help: '1 while rtpengine answers.', registers });
  up.set(0);
  return { engineUp: (is) => up.set(is ? 1 : 0) };
}
