// All flows, in the order of the page.
import { forkFlows } from './flows/forks.js';
import { loginFlows } from './flows/logins.js';
import { offerFlows, requestFlows } from './flows/mid-call.js';
import { lossFlows, provisionalFlows } from './flows/provisional.js';
import { identityFlows, screeningFlows, syntaxFlows } from './flows/requests.js';
import { cancelFlows, refusalFlows, sessionFlows } from './flows/rfc3665.js';
import { transferFlows } from './flows/transfers.js';
import { mediaFlows, routingFlows } from './flows/trunks.js';
import type { Group, Protocol, Scenario } from './scenario.js';

export const groups: readonly Group[] = [
  sessionFlows,
  refusalFlows,
  cancelFlows,
  forkFlows,
  provisionalFlows,
  offerFlows,
  requestFlows,
  lossFlows,
  transferFlows,
  screeningFlows,
  identityFlows,
  routingFlows,
  mediaFlows,
  loginFlows,
  syntaxFlows,
];

/** A flow over one transport. */
export function flowId({ name }: Scenario, protocol: Protocol): string {
  return `${name} over ${protocol}`;
}

/** Every flow over every transport that it is for. */
export function runsOf({ scenarios }: Group): { scenario: Scenario; protocol: Protocol }[] {
  return scenarios.flatMap((scenario) =>
    (['udp', 'tcp'] as const)
      .filter((protocol) => scenario.protocol === undefined || scenario.protocol === protocol)
      .map((protocol) => ({ scenario, protocol })),
  );
}
