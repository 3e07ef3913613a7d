// How calls are shown to operators: words instead of the wire's enumerations, parties masked unless they are asked for.
import type { Call, Party } from '@sidestream/proto/calls/v1';
import { Direction } from '@sidestream/proto/events/v1';

/** What the API shows of a call; dates become ISO texts in JSON. @param silent its instance does not answer */
export function shownCall(
  { call, silent }: { readonly call: Call; readonly silent: boolean },
  reveal: boolean,
): object {
  return { ...call, ...inWords(call, reveal), silent };
}

/** Of one that has gone with its instance: nobody knows how it ended. @param at when its instance was gone */
export function shownLost({ call, at }: { readonly call: Call; readonly at: Date }, reveal: boolean): object {
  const { phase: _phase, voices: _voices, ...rest } = call;
  const detail = `signalling instance ${call.instance} is gone`;
  const termination = { result: 'indeterminate', reason: 'instance-lost', detail };
  return { ...rest, ...inWords(call, reveal), endedAt: at, termination };
}

function inWords({ calling, called, direction }: Call, reveal: boolean): object {
  return {
    direction: direction === Direction.OUTBOUND ? 'outbound' : 'inbound',
    calling: calling && shownParty(calling, reveal),
    called: called && shownParty(called, reveal),
  };
}

/** Some callers have no other name than their address. */
export function shownParty({ uri, name }: Party, reveal: boolean): Party {
  const other = name === uri ? '' : name;
  return reveal ? { uri, name: other } : { uri: masked(uri), name: maskedName(other) };
}

/** The last two characters of the user part stay: enough to tell two calls apart, too little to call anybody. */
export function masked(uri: string): string {
  return uri.replace(/^(sips?:|tel:)?([^@;]*)/, (_, scheme: string | undefined, user: string) => {
    return `${scheme ?? ''}${user.length > 4 ? `${'*'.repeat(user.length - 2)}${user.slice(-2)}` : '***'}`;
  });
}

function maskedName(name: string): string {
  return name === '' ? '' : `${[...name][0]}***`;
}
