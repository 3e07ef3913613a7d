/** What can go wrong between the page and the gateway, as the page has to tell it apart. */

export type ApiErrorCode =
  | 'offline'
  | 'signed-out'
  | 'forbidden'
  | 'not-found'
  | 'refused'
  | 'unavailable'
  | 'malformed';

export class ApiError extends Error {
  readonly code: ApiErrorCode;

  /** @param message one sentence for people */
  constructor(code: ApiErrorCode, message: string) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
  }
}

/** What was thrown, as an error that the page can tell apart. */
export function asApiError(cause: unknown): ApiError {
  return cause instanceof ApiError ? cause : new ApiError('malformed', String(cause));
}

/** The error of an answer that is none: its problem document (RFC 9457) gives the words where there is one. */
export async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '');
  return new ApiError(codeOf(response.status), problemText(text) ?? `The gateway answered ${response.status}.`);
}

function codeOf(status: number): ApiErrorCode {
  if (status === 401) return 'signed-out';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  return status < 500 && status !== 429 ? 'refused' : 'unavailable';
}

function problemText(text: string): string | undefined {
  try {
    const { detail, title }: { detail?: unknown; title?: unknown } = JSON.parse(text) ?? {};
    return [detail, title].find((words): words is string => typeof words === 'string' && words !== '');
  } catch {
    return undefined;
  }
}
