/** The numbers that an operator looks at first. */
import type { JSX } from 'preact';
import { recorderCondition, recordingCondition, relayCondition } from '../state/conditions.js';
import type { Operations } from '../state/operations.js';

export function Summary({ operations: { sections } }: { readonly operations: Operations }): JSX.Element {
  const { calls, instances } = sections.calls.state.value.value ?? {};
  const recorders = sections.recorders.state.value.value;
  const relays = sections.relays.state.value.value;
  const words = calls?.map((call) => recordingCondition(call).word);
  const count = (...wanted: string[]): number | undefined => words?.filter((word) => wanted.includes(word)).length;
  const missing = count('Missing', 'Between recorders');
  const silent = instances?.filter(({ state }) => state !== 'live').length ?? 0;
  const avoided = recorders?.filter((recorder) => recorderCondition(recorder).tone === 'bad').length;
  const idle = relays?.filter((relay) => relayCondition(relay).tone !== 'good').length;
  return (
    <section aria-label="Summary">
      <dl class="summary">
        <Figure title="Live calls" value={calls?.length} />
        <Figure title="Recording" value={count('Recording')} />
        <Figure title="Paused" value={count('Paused')} />
        <Figure title="Recording missing" value={missing} isFault={missing !== undefined && missing > 0} />
        {silent > 0 && <Figure title="Instances silent or gone" value={silent} of={instances?.length} isFault />}
        <Figure title="Recorders avoided" value={avoided} of={recorders?.length} isFault={Boolean(avoided)} />
        <Figure title="Relays out of use" value={idle} of={relays?.length} isFault={Boolean(idle)} />
      </dl>
    </section>
  );
}

interface FigureProps {
  readonly title: string;
  readonly value: number | undefined;
  readonly of?: number | undefined;
  readonly isFault?: boolean;
}

function Figure({ title, value, of, isFault = false }: FigureProps): JSX.Element {
  return (
    <div class={isFault ? 'bad' : undefined}>
      <dt>{title}</dt>
      <dd>
        {value ?? '–'}
        {value !== undefined && of !== undefined && of > 0 && <span class="quiet"> of {of}</span>}
      </dd>
    </div>
  );
}
