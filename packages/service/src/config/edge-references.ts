// What the chosen SIP edge can't do for the rest of the configuration (docs/edges.md).
import type { ConfigProblem } from './config-error.js';
import { entries, type Loose, loose, text } from './loose.js';

/** sip-edge's settings: a drachtio-server has its listeners, addresses and certificates in a configuration of its own. */
const ofSipEdge = ['listen', 'advertise', 'tls', 'sources'];

/** sip-edge's listeners where the configuration names none, as in the schema. */
const usualListeners = ['udp:127.0.0.1:5060', 'tcp:127.0.0.1:5060'];

/** Checks a document, of any shape, against the edge that it chooses. */
export function* checkEdge(config: Loose): Generator<ConfigProblem> {
  const signalling = loose(config['signalling']);
  const edge = text(signalling['edge']) ?? 'embedded';
  if (edge === 'embedded') yield* checkEmbedded(config, signalling);
  else yield* checkExternal(signalling);
}

function* checkExternal(signalling: Loose): Generator<ConfigProblem> {
  for (const key of ofSipEdge) {
    if (signalling[key] === undefined) continue;
    const message = 'is for the embedded edge alone: an external edge has its own configuration for it';
    yield { path: `signalling.${key}`, message };
  }
}

function* checkEmbedded(config: Loose, signalling: Loose): Generator<ConfigProblem> {
  if (signalling['edgeMetrics'] !== undefined)
    yield {
      path: 'signalling.edgeMetrics',
      message: 'is of an external edge: the embedded one is a process with metrics',
    };
  const listeners = Array.isArray(signalling['listen']) ? signalling['listen'].map(text) : usualListeners;
  for (const [index, listener] of listeners.entries()) {
    const [, protocol, host] = /^(\w+):(.*):\d+$/.exec(listener ?? '') ?? [];
    const path = `signalling.listen.${index}`;
    if (protocol === 'tls' && signalling['tls'] === undefined) yield { path, message: 'needs signalling.tls' };
    const isEverywhere = host !== undefined && ['0.0.0.0', '::', '[::]'].includes(host);
    if (isEverywhere && signalling['advertise'] === undefined) {
      yield { path, message: `'${host}' is every address: signalling.advertise must name one` };
    }
  }
  const spoken = new Set(listeners.map((listener) => listener?.split(':')[0]));
  for (const [name, trunk] of entries(config['trunks'])) {
    for (const [index, target] of entries(trunk['targets'])) {
      const protocol = protocolOf(text(target) ?? text(target['uri']) ?? '', text(trunk['transport']));
      if (spoken.has(protocol)) continue;
      const message = `goes over ${protocol}: signalling.listen needs a ${protocol} listener`;
      yield { path: `trunks.${name}.targets.${index}`, message };
    }
    const registrars: unknown = loose(trunk['register'])['registrar'];
    for (const registrar of [registrars].flat()) {
      const protocol = protocolOf(text(registrar) ?? '', text(trunk['transport']));
      if (registrars === undefined || spoken.has(protocol)) continue;
      const message = `goes over ${protocol}: signalling.listen needs a ${protocol} listener`;
      yield { path: `trunks.${name}.register.registrar`, message };
    }
  }
}

/** What a call to a target is sent over. */
function protocolOf(target: string, ofTrunk = 'udp'): string {
  if (target.startsWith('sips:')) return 'tls';
  return /;transport=(\w+)$/.exec(target)?.[1] ?? ofTrunk;
}
