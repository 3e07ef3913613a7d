// Reads the SDP that rtpengine offers for a fork. Not a parser for anybody else's SDP.
export interface ForkMedia {
  readonly type: string;
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  readonly label: string | undefined;
  readonly cryptos: readonly string[];
  readonly formats: readonly string[];
  /** Payload type of RFC 4733 events. */
  readonly telephoneEvent: number | undefined;
}

/** The media lines in their order; undefined if one cannot be read. */
export function readForkSdp(sdp: string): readonly ForkMedia[] | undefined {
  const [session = '', ...sections] = sdp.split(/^(?=m=)/m);
  const sessionAddress = address(session);
  const media = sections.map((section) => readMedia(section, sessionAddress));
  return media.every((one) => one !== undefined) ? media : undefined;
}

function readMedia(section: string, sessionAddress: string | undefined): ForkMedia | undefined {
  const line = /^m=(\S+) (\d+) (\S+) (.+?)\r?$/m.exec(section);
  const connection = address(section) ?? sessionAddress;
  if (!line || connection === undefined) return undefined;
  const [, type = '', port = '', protocol = '', formats = ''] = line;
  // RFC 3605: without a=rtcp it is the next port.
  const rtcpPort = /^a=rtcp:(\d+)/m.exec(section)?.[1];
  const telephoneEvent = /^a=rtpmap:(\d+) telephone-event\/8000/im.exec(section)?.[1];
  return {
    type,
    protocol,
    address: connection,
    port: Number(port),
    rtcpPort: rtcpPort === undefined ? Number(port) + 1 : Number(rtcpPort),
    label: /^a=label:(\S+)/m.exec(section)?.[1],
    cryptos: [...section.matchAll(/^a=crypto:(.+?)\r?$/gm)].map((match) => match[1] ?? ''),
    formats: formats.split(' '),
    telephoneEvent: telephoneEvent === undefined ? undefined : Number(telephoneEvent),
  };
}

function address(section: string): string | undefined {
  return /^c=IN IP[46] (\S+?)\r?$/m.exec(section)?.[1];
}
