// How much of a message we are willing to hold; shared by the framer (before parsing) and the parser.

/** Bounds of one message. */
export interface MessageLimits {
  /** Start line and header fields, in bytes. */
  readonly maxHeaderBytes?: number | undefined;
  /** Header field lines. */
  readonly maxHeaderFields?: number | undefined;
  /** Body, in bytes. */
  readonly maxBodyBytes?: number | undefined;
}

/** The limits where none are given. */
export const defaultMessageLimits = { maxHeaderBytes: 32_768, maxHeaderFields: 256, maxBodyBytes: 262_144 } as const;
