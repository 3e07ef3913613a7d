// What the parties of a flow do, as data. A flow reads from top to bottom like one side of a ladder; nothing here knows sipp.

/** A method (`INVITE`), or a response with the method that it answers (`180 INVITE`). */
export type Kind = string;

/** A value, several lines of the same name, or none where there usually is one. */
export type HeaderValue = string | readonly string[] | null;

/** A body with its Content-Type. */
export interface Body {
  readonly type: string;
  readonly text: string;
}

/** How a message differs from the plain one of its kind. `[local_ip]`, `[$name]` … are sipp's keywords. */
export interface Sent {
  readonly headers?: Readonly<Record<string, HeaderValue>>;
  /** A whole line, for what sipp writes name and value of. */
  readonly line?: string;
  readonly body?: Body;
  /** Request-URI. */
  readonly uri?: string;
  /** Instead of the next number. */
  readonly cseq?: number;
  /** Instead of the transaction's own branch parameter of Via. */
  readonly branch?: string;
  /** The same request once more, as if the network had lost it. */
  readonly again?: boolean;
}

/**
 * What a message that is heard has to be like: by header name, or `uri`, `phrase`, `body`. A text is the whole value, a pattern is found
 * in one of the values, null: there is none.
 */
export type Expected = Readonly<Record<string, string | RegExp | null>>;

export interface SendStep {
  readonly does: 'send';
  readonly kind: Kind;
  readonly how: Sent;
}

export interface HearStep {
  readonly does: 'hear';
  readonly kind: Kind;
  readonly expected: Expected;
  /** It comes from here on, but other messages may overtake it. */
  readonly anytime: boolean;
  /** The same message as the last one of its kind, as it was not acknowledged. */
  readonly again: boolean;
}

export type Step = SendStep | HearStep | { readonly does: 'wait'; readonly ms: number } | { readonly does: 'speak' };

export function sends(kind: Kind, how: Sent = {}): Step {
  return { does: 'send', kind, how };
}

export function hears(kind: Kind, expected: Expected = {}): Step {
  return { does: 'hear', kind, expected, anytime: false, again: false };
}

/** A copy of the last message of this kind; in flows without retransmission only, as sipp overlooks copies in others. */
export function hearsAgain(kind: Kind): Step {
  return { does: 'hear', kind, expected: {}, anytime: false, again: true };
}

/** Two messages on their way to a party may change places; both steps have to be written next to each other. */
export function hearsAnytime(kind: Kind, expected: Expected = {}): Step {
  return { does: 'hear', kind, expected, anytime: true, again: false };
}

/** Nothing may come meanwhile: sipp takes whatever comes in a pause for unexpected. */
export function waits(ms: number): Step {
  return { does: 'wait', ms };
}

/** RTP begins to flow from here; the other party sends back what it hears. */
export const speaks: Step = { does: 'speak' };

/** How long a call is up that has to be recorded. */
export const talks = waits(700);

/** What is different about a session description. */
export interface SdpOptions {
  readonly port?: number;
  readonly address?: string;
  readonly direction?: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
  /** Payload types of the audio line; 0, 8 and 101 are known. */
  readonly codecs?: string;
  /** RTP/AVP without it. */
  readonly profile?: string;
  /** Further lines. */
  readonly more?: readonly string[];
  readonly version?: number;
}

const codecLines: Readonly<Record<string, readonly string[]>> = {
  '0': ['a=rtpmap:0 PCMU/8000'],
  '8': ['a=rtpmap:8 PCMA/8000'],
  '101': ['a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15'],
};

/** One audio stream. */
export function sdp(options: SdpOptions = {}): { body: Body } {
  const { port, address = '[local_ip]', direction, codecs = '0 8 101', more = [], version = 1 } = options;
  const { profile = 'RTP/AVP' } = options;
  const lines = [
    'v=0',
    `o=party 7 ${version} IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port ?? '[media_port]'} ${profile} ${codecs}`,
    ...codecs.split(' ').flatMap((codec) => codecLines[codec] ?? []),
    ...(direction === undefined ? [] : [`a=${direction}`]),
    ...more,
  ];
  return { body: { type: 'application/sdp', text: lines.join('\n') } };
}

/** A call to somebody who rings and answers. */
export function calls(...after: readonly Step[]): Step[] {
  return [sends('INVITE', sdp()), hears('180 INVITE'), hears('200 INVITE'), sends('ACK'), ...after];
}

export function isCalled(...after: readonly Step[]): Step[] {
  return [hears('INVITE'), sends('180 INVITE'), sends('200 INVITE', sdp()), hears('ACK'), ...after];
}

export const hangsUp: readonly Step[] = [sends('BYE'), hears('200 BYE')];
export const isHungUp: readonly Step[] = [hears('BYE'), sends('200 BYE')];
