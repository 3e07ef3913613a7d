// How calls are shown to operators: words instead of the wire's enumerations, parties masked unless they are asked for.
import type { Call, Party } from '@sidestream/proto/calls/v1';
import { Direction } from '@sidestream/proto/events/v1';

/** What the API shows of a call; dates become ISO texts in JSON. */
export function shownCall({ calling, called, direction, ...rest }: Call, reveal: boolean): object {
  return {
    ...rest,
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
