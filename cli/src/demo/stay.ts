// `demo --stay`: pages beside everything that runs, until somebody wants it to end.
import { StagePage } from '@sidestream/simulators';
import type { Scenario } from './scenario.js';

const calls = [
  { id: 'inbound-listed', title: 'A customer calls Ada, who is recorded' },
  { id: 'outbound-listed', title: 'Ada calls a customer' },
  { id: 'inbound-unlisted', title: 'A customer calls Bob, who is not recorded' },
];

/** Resolves after `ended` has rejected and the pages are gone. */
export async function stayOnStage(
  scenario: Scenario,
  say: (what: string) => void,
  ended: Promise<never>,
): Promise<void> {
  const stage = await StagePage.start({
    recorder: scenario.laboratory.recorder,
    links: [],
    calls,
    place: async (id, onProgress) => {
      onProgress('the parties talk');
      const { proof, faults } = await scenario.call(id);
      if (faults.length > 0) return `NOT proven: ${faults.join('; ')}`;
      return proof.recorded ? 'over, recorded and proven' : `over, not recorded (${proof.reason})`;
    },
  });
  say(`place calls, see and hear recordings: ${stage.url}`);
  say('Ctrl-C ends it');
  await ended.catch(() => undefined);
  say('stopping the pages');
  await stage.close();
}
