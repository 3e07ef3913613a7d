/** The frames that the gateway sends: their types and their reading. Pure. */

export interface CallStarted {
  /** The Call-ID by which the recorder knows the call. */
  readonly callId: string;
  readonly startTime: Date;
  readonly isIncomingCall: boolean;
  readonly contactNumber: string;
  readonly contactName: string;
}

export interface CallEnded {
  readonly callId: string;
  readonly callDurationInSeconds: number;
  readonly callTerminationReason: 'success' | 'error';
  readonly callEndTime: Date;
  /** Whether WIDGET_CALL_STARTED was raised for this call. */
  readonly isCallStarted: boolean;
}

/** Nothing is raised for it; the widget can say why. */
export interface CallNotRecorded {
  readonly callId: string;
  readonly reason: string;
}

export type DialerEvent = { readonly id: string } & (
  | { readonly name: 'WIDGET_CALL_STARTED'; readonly payload: CallStarted }
  | { readonly name: 'WIDGET_CALL_ENDED'; readonly payload: CallEnded }
  | { readonly name: 'CALL_NOT_RECORDED'; readonly payload: CallNotRecorded }
);

export type ServerFrame =
  | {
      readonly type: 'authenticated';
      readonly seller: string;
      readonly expiresAt: Date;
      readonly place: string | undefined;
    }
  | { readonly type: 'event'; readonly event: DialerEvent }
  | { readonly type: 'reauthenticate' }
  /** Of a kind that this version does not know; an event's id counts all the same. */
  | { readonly type: 'unknown'; readonly id: string | undefined };

type Fields = Readonly<Record<string, unknown>>;

/** Undefined for what is no frame, or one of a known kind whose fields are not what they must be. */
export function readFrame(data: unknown): ServerFrame | undefined {
  const frame = parse(data);
  if (!frame) return undefined;
  const { type, seller, id, event, payload } = frame;
  const expiresAt = date(frame['expiresAt']);
  switch (type) {
    case 'authenticated':
      return isText(seller) && expiresAt
        ? { type, seller, expiresAt, place: isText(frame['place']) ? frame['place'] : undefined }
        : undefined;
    case 'event': {
      if (!isText(id)) return undefined;
      if (!isFields(payload) || !isText(payload['callId'])) return { type: 'unknown', id };
      const read = readEvent(id, event, payload['callId'], payload);
      return read ? { type, event: read } : { type: 'unknown', id };
    }
    case 'reauthenticate':
      return { type };
    default:
      return isText(type) ? { type: 'unknown', id: undefined } : undefined;
  }
}

function readEvent(id: string, name: unknown, callId: string, payload: Fields): DialerEvent | undefined {
  switch (name) {
    case 'WIDGET_CALL_STARTED': {
      const { isIncomingCall, contactNumber, contactName } = payload;
      const startTime = date(payload['startTime']);
      if (!startTime || typeof isIncomingCall !== 'boolean' || !isString(contactNumber) || !isString(contactName))
        return;
      return { id, name, payload: { callId, startTime, isIncomingCall, contactNumber, contactName } };
    }
    case 'WIDGET_CALL_ENDED': {
      const { callDurationInSeconds, callTerminationReason, isCallStarted } = payload;
      const callEndTime = date(payload['callEndTime']);
      if (!callEndTime || typeof callDurationInSeconds !== 'number' || typeof isCallStarted !== 'boolean') return;
      if (callTerminationReason !== 'success' && callTerminationReason !== 'error') return;
      return {
        id,
        name,
        payload: { callId, callDurationInSeconds, callTerminationReason, callEndTime, isCallStarted },
      };
    }
    case 'CALL_NOT_RECORDED':
      return isString(payload['reason']) ? { id, name, payload: { callId, reason: payload['reason'] } } : undefined;
    default:
      return undefined;
  }
}

function parse(data: unknown): Fields | undefined {
  try {
    const value: unknown = JSON.parse(String(data));
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function date(value: unknown): Date | undefined {
  const time = new Date(isString(value) ? value : Number.NaN);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isText(value: unknown): value is string {
  return isString(value) && value !== '';
}
