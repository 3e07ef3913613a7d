// The part of drachtio-srf 5 that we use, typed from its source: its own declarations lack much of it.

export type SrfHeaders = Record<string, string>;

export interface SrfMessage {
  /** Empty without a body. */
  readonly body: string;
  get(name: string): string | undefined;
  has(name: string): boolean;
}

export interface SrfRequest extends SrfMessage {
  readonly method: string;
  readonly uri: string;
  readonly source_address: string;
  readonly source_port: number;
  readonly isNewInvite: boolean;
  on(event: 'cancel', listener: () => void): void;
  on(event: 'response', listener: (response: SrfResponse) => void): void;
  cancel(options: { headers: Readonly<Record<string, string>> }, callback: (error: unknown) => void): void;
}

export interface SrfResponse extends SrfMessage {
  readonly status: number;
  readonly reason: string;
  readonly source_address: string;
  /** Of a response that came: the request as the edge sent it. */
  readonly req: SrfRequest;
  readonly finalResponseSent: boolean;
  /**
   * Throws for a status that it does not know. The callback comes with the edge's echo of what was sent, `onPrack` with the
   * PRACK of a reliable provisional response; the library answers that itself. It keeps one such listener at a time.
   */
  send(
    status: number,
    options: { headers?: SrfHeaders; body?: string },
    callback?: (error: unknown, sent?: SrfMessage) => void,
    onPrack?: () => void,
  ): void;
}

export interface SrfDialog {
  /** The edge's name of the dialog. */
  readonly id: string;
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  readonly local: { sdp: string; readonly contact: string };
  /** `uri`: the Contact with which the dialog was made. */
  readonly remote: { readonly uri: string };
  readonly type: 'uas' | 'uac';
  /** The INVITE. */
  readonly req: SrfRequest;
  /** The 200 that made the dialog. */
  readonly res: SrfResponse;
  on(event: 'destroy', listener: (request: SrfRequest, reason?: string) => void): this;
  on(event: 'ack', listener: (request: SrfRequest) => void): this;
  on(
    event: 'modify' | 'update' | 'info' | 'refer' | 'message' | 'publish' | 'notify',
    listener: (request: SrfRequest, response: SrfResponse) => void,
  ): this;
  destroy(options: { headers?: SrfHeaders }, callback: (error: unknown) => void): void;
  /** The callback comes for every response, provisional ones included; ACK to a final one is sent. */
  request(
    options: { method: string; headers?: SrfHeaders; body?: string },
    callback: (error: unknown, response?: SrfResponse) => void,
  ): void;
}

/** A 200 with an offer that has no ACK yet. */
export interface SrfOffered {
  readonly res: SrfResponse;
  /** Sends the ACK and makes the dialog; rejects after the ACK when the 200 has no Contact. */
  ack(sdp: string): Promise<SrfDialog>;
}

type SrfHandler = (request: SrfRequest, response: SrfResponse) => void;

export interface Srf {
  readonly app: {
    /** There once connect() was called. */
    readonly client?: {
      readonly wp: {
        closing: boolean;
        readonly reconnectVars: { readonly retryTimer: NodeJS.Timeout | null };
        /** The connection after the first one. */
        readonly socket?: { destroy(): void };
      };
    };
    /** A request on whatever connection there is now; `stackDialogId` makes it one within a dialog. */
    request(
      options: { method: string; stackDialogId: string; headers?: SrfHeaders },
      callback: (error: unknown) => void,
    ): void;
  };
  on(event: 'connect', listener: (error: unknown, hostPorts?: string, version?: string) => void): this;
  on(event: 'error', listener: (error: unknown) => void): this;
  on(event: 'close' | 'reconnecting', listener: () => void): this;
  invite(handler: SrfHandler): void;
  options(handler: SrfHandler): void;
  message(handler: SrfHandler): void;
  notify(handler: SrfHandler): void;
  publish(handler: SrfHandler): void;
  register(handler: SrfHandler): void;
  subscribe(handler: SrfHandler): void;
  connect(options: { host: string; port: number; secret: string; reconnect: { retryMaxDelay: number } }): unknown;
  disconnect(): void;
  createUAS(
    request: SrfRequest,
    response: SrfResponse,
    options: { localSdp: string; headers: SrfHeaders },
    callback: (error: unknown, dialog?: SrfDialog) => void,
  ): void;
  /** A request outside a dialog. The callback comes when it has left; `response` for every response to it. */
  request(
    uri: string,
    options: { method: string; headers: SrfHeaders },
    callback: (error: unknown, request?: SrfRequest) => void,
  ): void;
  /** `noAck` without `localSdp`: an offer in the 200 comes as SrfOffered, a 200 without one as a dialog all the same. */
  createUAC(
    uri: string,
    options: { localSdp?: string; noAck?: true; headers: SrfHeaders },
    progress: {
      cbRequest: (error: unknown, request?: SrfRequest) => void;
      cbProvisional: (response: SrfResponse) => void;
    },
    callback: (error: unknown, dialog?: SrfDialog | SrfOffered) => void,
  ): void;
}
