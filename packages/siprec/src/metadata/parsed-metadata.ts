// What a recorder understands of a metadata document, in RFC 7865's terms.

/** Times are kept as written: their form is the sender's, and judging it is the reader's. */
export interface ParsedTimes {
  readonly associateTime?: string;
  readonly disassociateTime?: string;
}

export interface ParsedSession {
  readonly id: string;
  readonly sipSessionIds: readonly string[];
  readonly groupRef?: string;
  readonly startTime?: string;
  readonly stopTime?: string;
  /** `Parameter` name to value of the session's ExtensionParameters, in whatever namespace. */
  readonly extensionParameters: ReadonlyMap<string, string>;
}

/** Ids are in their wire form, base64; `uuidFromWire` turns a proper one into a UUID. */
export interface ParsedMetadata {
  readonly datamode: 'complete' | 'partial';
  readonly groups: readonly ({ readonly id: string } & ParsedTimes)[];
  readonly sessions: readonly ParsedSession[];
  readonly participants: readonly {
    readonly id: string;
    /** The address is empty where the sender gives none. */
    readonly nameIds: readonly { readonly aor: string; readonly name?: string }[];
  }[];
  readonly streams: readonly { readonly id: string; readonly sessionId?: string; readonly label?: string }[];
  readonly sessionRecordings: readonly ({ readonly sessionId: string } & ParsedTimes)[];
  readonly participantSessions: readonly ({
    readonly participantId: string;
    readonly sessionId: string;
  } & ParsedTimes)[];
  readonly participantStreams: readonly ({
    readonly participantId: string;
    readonly send: readonly string[];
    readonly recv: readonly string[];
  } & ParsedTimes)[];
}
