// What our own edge tells signalling in header fields of requests. It takes fields of these names from what comes from the network, so
// that nobody else can say it.

/** The SIP domains, separated by commas, that the verified certificate of the peer names (RFC 5922). */
export const certificateNamesHeader = 'X-Sidestream-Certificate-Names';

/** The trace that an INVITE has begun at the edge: a `traceparent` (W3C Trace Context). */
export const traceHeader = 'X-Sidestream-Trace';

export const edgeHeaders = [certificateNamesHeader, traceHeader] as const;
