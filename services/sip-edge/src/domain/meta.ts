// The meta line of a frame, both ways: fields separated by `|`, then optionally CRLF and a SIP message. Field positions
// are what drachtio-server puts on the wire; drachtio-srf reads them by index.

/** A frame from an application, by its meta line. `sip` is the rest of the payload, empty where there is none. */
export type AppFrame =
  | { type: 'authenticate'; id: string; secret: string; tags: readonly string[] }
  | { type: 'route' | 'remove_route'; id: string; verb: string }
  | { type: 'ping'; id: string }
  | { type: 'sip'; id: string; transactionId: string; dialogId: string; route: string; sip: Buffer }
  | { type: 'proxy'; id: string }
  | { type: 'unknown'; id: string };

/** Who sent or received a message, when, and how: fields that all `sip` and echo lines share. */
export interface MessageOrigin {
  /** Size of the SIP message; 0 for one that never was on the wire. */
  readonly bytes: number;
  /** `udp`, `tcp`, `tls`, or empty where drachtio-server leaves it so. */
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly time: Date;
}

/** Where a `sip` frame belongs: the three tail shapes that are on the wire. */
export type Placement =
  | { kind: 'new-request'; transactionId: string; localAddress: string; localPort: number }
  | { kind: 'in-dialog'; transactionId: string; dialogId: string }
  | { kind: 'no-dialog'; transactionId: string };

const crlf = '\r\n';

/** Splits a payload at its first line end. */
export function parseAppFrame(payload: Buffer): AppFrame {
  const end = payload.indexOf(crlf);
  const line = (end < 0 ? payload : payload.subarray(0, end)).toString('utf8');
  const fields = line.split('|');
  const [id = '', type = ''] = fields;
  switch (type) {
    case 'authenticate':
      return { type, id, secret: fields[2] ?? '', tags: (fields[3] ?? '').split(',').filter((tag) => tag !== '') };
    case 'route':
    case 'remove_route':
      return { type, id, verb: (fields[2] ?? '').toLowerCase() };
    case 'ping':
    case 'proxy':
      return { type, id };
    case 'sip': {
      const sip = end < 0 ? Buffer.alloc(0) : payload.subarray(end + crlf.length);
      return { type, id, transactionId: fields[2] ?? '', dialogId: fields[3] ?? '', route: fields[4] ?? '', sip };
    }
    default:
      return { type: 'unknown', id };
  }
}

/** `HH:MM:SS.uuuuuu` in UTC. */
export function formatTime(time: Date): string {
  return `${time.toISOString().slice(11, 23)}000`;
}

/** Call-ID and the From tag of the request that created the dialog: the same on both roles and for its whole life. */
export function formatDialogId(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`;
}

/** Whether a text can stand in a meta line: a `|` or a line end in it would become fields that nobody sent. */
export function fitsMetaLine(text: string): boolean {
  return !/[|\p{Cc}]/u.test(text);
}

/** The answer to a frame of the client layer: `OK` with fields. */
export function formatOk(id: string, requestId: string, fields: readonly string[] = []): string {
  return [id, 'response', requestId, 'OK', ...fields].join('|');
}

/** The client layer refuses (`NO`), the SIP side refuses (`NOK`). */
export function formatRefusal(id: string, requestId: string, kind: 'NO' | 'NOK', reason: string): string {
  return [id, 'response', requestId, kind, reason].join('|');
}

/** `sip` frame: a message from the network, or (source application) a request that the edge made by itself. */
export function formatSip(id: string, source: 'network' | 'application', origin: MessageOrigin, at: Placement): string {
  const head = [id, 'sip', source, ...originFields(origin), at.transactionId];
  switch (at.kind) {
    case 'new-request':
      return [...head, '', at.localAddress, at.localPort, ''].join('|') + crlf;
    case 'in-dialog':
      return [...head, at.dialogId, ''].join('|') + crlf;
    case 'no-dialog':
      return [...head, '', ''].join('|') + crlf;
    default:
      return unreachable(at);
  }
}

/** Echo of a request that the application sent, with its transaction. */
export function formatRequestEcho(id: string, requestId: string, origin: MessageOrigin, transactionId: string): string {
  return formatOk(id, requestId, ['application', ...originFields(origin), transactionId, 'Msg sent:', '']) + crlf;
}

/** Echo of a response that the application sent; `dialogId` is empty for BYE and for methods without a dialog. */
export function formatResponseEcho(
  id: string,
  requestId: string,
  origin: MessageOrigin,
  transactionId: string,
  dialogId: string,
): string {
  const fields = ['application', ...originFields(origin), transactionId, dialogId, '', 'Msg sent:', ''];
  return formatOk(id, requestId, fields) + crlf;
}

function originFields({ bytes, protocol, address, port, time }: MessageOrigin): string[] {
  return [String(bytes), protocol, address, String(port), formatTime(time)];
}

function unreachable(value: never): never {
  throw new Error(`unexpected ${JSON.stringify(value)}`);
}
