// What a seller's dialer is told, as the recorder's owner documents it (Channel Integration Framework), and to whom it is told.

export type DialerEvent =
  | { readonly event: 'WIDGET_CALL_STARTED'; readonly payload: CallStartedPayload }
  | { readonly event: 'WIDGET_CALL_ENDED'; readonly payload: CallEndedPayload }
  | { readonly event: 'CALL_NOT_RECORDED'; readonly payload: CallNotRecordedPayload };

export interface CallStartedPayload {
  /** Call-ID of the SIPREC INVITE, byte for byte. */
  readonly callId: string;
  /** ISO 8601, as all dates on the wire. */
  readonly startTime: string;
  readonly isIncomingCall: boolean;
  readonly contactNumber: string;
  readonly contactName: string;
}

export interface CallEndedPayload {
  readonly callId: string;
  readonly callDurationInSeconds: number;
  readonly callTerminationReason: 'success' | 'error';
  readonly callEndTime: string;
  /** Only if WIDGET_CALL_STARTED was told of this call. */
  readonly isCallStarted: boolean;
}

/** Raises nothing in the framework: the widget shows why. */
export interface CallNotRecordedPayload {
  readonly callId: string;
  /** Why no recorder took it: a termination's reason; `not-started-in-time` where none is known. */
  readonly reason: string;
}

/** Whom it concerns: the seller's id in the tenant's policy, which is the user's object id. */
export interface SellerKey {
  readonly tenant: string;
  readonly seller: string;
}

/** An event for one seller. The id says where in the stream it comes from, so that every instance gives it the same. */
export type Told = SellerKey & { readonly id: string } & DialerEvent;
