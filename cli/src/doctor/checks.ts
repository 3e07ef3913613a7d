// All checks, in the order in which they are shown.
import { addressesCheck } from './addresses.js';
import { certificatesCheck } from './certificates.js';
import type { Check } from './check.js';
import { clockCheck } from './clock.js';
import { collectorCheck } from './collector.js';
import { configCheck } from './config-check.js';
import { dnsCheck } from './dns.js';
import { edgeCheck } from './edge.js';
import { issuersCheck } from './issuers.js';
import { natsCheck } from './nats.js';
import { portsCheck } from './ports.js';
import { providerCheck } from './provider.js';
import { recordersCheck } from './recorders.js';
import { rtpengineCheck } from './rtpengine.js';
import { trunksCheck } from './trunks.js';

export const checks: readonly Check[] = [
  ...[configCheck, certificatesCheck, addressesCheck, portsCheck, dnsCheck, clockCheck, natsCheck, rtpengineCheck],
  ...[edgeCheck, recordersCheck, providerCheck, trunksCheck, issuersCheck, collectorCheck],
];
