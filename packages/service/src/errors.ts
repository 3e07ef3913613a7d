// The one error class of the services and the one table that says what each code means to SIP, gRPC and a termination.
import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { Result } from '@sidestream/proto/events/v1';

/** What an error means to the three worlds that hear of it. */
export interface ErrorMeaning {
  /** SIP response status towards a trunk. */
  readonly sip: number;
  readonly grpc: status;
  /** Result and reason of the termination that the error causes. */
  readonly result: Result;
  readonly reason: string;
}

/** Every error code with its meaning. A code is also the reason of the termination, so that one word is found everywhere. */
export const errorTable = {
  'bad-request': meaning(400, status.INVALID_ARGUMENT, Result.CLIENT_ERROR, 'bad-request'),
  forbidden: meaning(403, status.PERMISSION_DENIED, Result.CLIENT_ERROR, 'forbidden'),
  'not-found': meaning(404, status.NOT_FOUND, Result.CLIENT_ERROR, 'not-found'),
  'already-exists': meaning(500, status.ALREADY_EXISTS, Result.SERVER_ERROR, 'already-exists'),
  'not-acceptable-here': meaning(488, status.FAILED_PRECONDITION, Result.CLIENT_ERROR, 'not-acceptable-here'),
  'media-refused': meaning(488, status.FAILED_PRECONDITION, Result.UPSTREAM_ERROR, 'media-refused'),
  cancelled: meaning(487, status.CANCELLED, Result.CLIENT_ERROR, 'cancelled'),
  'deadline-exceeded': meaning(504, status.DEADLINE_EXCEEDED, Result.UPSTREAM_ERROR, 'deadline-exceeded'),
  'policy-unavailable': meaning(503, status.UNAVAILABLE, Result.SERVER_ERROR, 'policy-unavailable'),
  'policy-changed': meaning(503, status.FAILED_PRECONDITION, Result.CLIENT_ERROR, 'policy-changed'),
  'relay-unavailable': meaning(503, status.UNAVAILABLE, Result.SERVER_ERROR, 'relay-unavailable'),
  'media-engine-unavailable': meaning(503, status.UNAVAILABLE, Result.UPSTREAM_ERROR, 'media-engine-unavailable'),
  'recorder-refused': meaning(503, status.FAILED_PRECONDITION, Result.UPSTREAM_ERROR, 'recorder-refused'),
  'recorder-unreachable': meaning(503, status.UNAVAILABLE, Result.UPSTREAM_ERROR, 'recorder-unreachable'),
  'recorder-answer-unusable': meaning(
    503,
    status.FAILED_PRECONDITION,
    Result.UPSTREAM_ERROR,
    'recorder-answer-unusable',
  ),
  'provider-unavailable': meaning(503, status.UNAVAILABLE, Result.UPSTREAM_ERROR, 'provider-unavailable'),
  'provider-refused': meaning(503, status.FAILED_PRECONDITION, Result.UPSTREAM_ERROR, 'provider-refused'),
  'wrong-state': meaning(400, status.FAILED_PRECONDITION, Result.CLIENT_ERROR, 'wrong-state'),
  'not-active': meaning(503, status.UNAVAILABLE, Result.SERVER_ERROR, 'not-active'),
  overloaded: meaning(503, status.RESOURCE_EXHAUSTED, Result.SERVER_ERROR, 'overloaded'),
  // For good, where 'overloaded' passes: the engine frees the ports of a fork with its session only.
  'forks-exhausted': meaning(503, status.RESOURCE_EXHAUSTED, Result.SERVER_ERROR, 'forks-exhausted'),
  draining: meaning(503, status.UNAVAILABLE, Result.SERVER_ERROR, 'draining'),
  // Between services: the certificate is of none that may ask, so that somebody has set up something wrong.
  'not-admitted': meaning(503, status.PERMISSION_DENIED, Result.SERVER_ERROR, 'not-admitted'),
  'not-ready': meaning(503, status.UNAVAILABLE, Result.SERVER_ERROR, 'not-ready'),
  internal: meaning(500, status.INTERNAL, Result.SERVER_ERROR, 'internal'),
} as const satisfies Record<string, ErrorMeaning>;

export type ErrorCode = keyof typeof errorTable;

/** gRPC metadata key in which a code crosses a process border unharmed. */
const codeHeader = 'sidestream-code';

/** An error that a caller, a peer or an operator is told: `code` for programs, `message` for people (what and where). */
export class SidestreamError extends Error {
  override readonly name = 'SidestreamError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get meaning(): ErrorMeaning {
    return errorTable[this.code];
  }

  /** The conversion at every edge: an unknown error becomes `internal`, which counts against us. */
  static from(error: unknown): SidestreamError {
    if (error instanceof SidestreamError) return error;
    if (isServiceError(error)) return fromServiceError(error);
    if (!(error instanceof Error)) return new SidestreamError('internal', String(error));
    if (error.name === 'TimeoutError') return new SidestreamError('deadline-exceeded', error.message, { cause: error });
    if (error.name === 'AbortError') return new SidestreamError('cancelled', error.message, { cause: error });
    return new SidestreamError('internal', error.message, { cause: error });
  }
}

/** Whether a call failed on its way, so that nobody has answered it. */
export function isUnanswered({ code, cause }: SidestreamError): boolean {
  return code === 'relay-unavailable' && isServiceError(cause) && cause.metadata.get(codeHeader).length === 0;
}

/** Writes the code into a gRPC answer's metadata. */
export function writeErrorCode(metadata: Metadata, error: SidestreamError): void {
  metadata.set(codeHeader, error.code);
}

function meaning(sip: number, grpc: status, result: Result, reason: string): ErrorMeaning {
  return { sip, grpc, result, reason };
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'details' in error && 'metadata' in error && 'code' in error;
}

function fromServiceError(error: ServiceError): SidestreamError {
  const told = error.metadata.get(codeHeader)[0]?.toString();
  const code = told !== undefined && told in errorTable ? (told as ErrorCode) : codeOfStatus(error.code);
  return new SidestreamError(code, error.details || error.message, { cause: error });
}

function codeOfStatus(code: status): ErrorCode {
  switch (code) {
    case status.CANCELLED:
      return 'cancelled';
    case status.DEADLINE_EXCEEDED:
      return 'deadline-exceeded';
    case status.INVALID_ARGUMENT:
      return 'bad-request';
    case status.NOT_FOUND:
      return 'not-found';
    case status.ALREADY_EXISTS:
      return 'already-exists';
    case status.PERMISSION_DENIED:
    case status.UNAUTHENTICATED:
      return 'forbidden';
    case status.RESOURCE_EXHAUSTED:
      return 'overloaded';
    case status.UNAVAILABLE:
      return 'relay-unavailable';
    default:
      return 'internal';
  }
}
