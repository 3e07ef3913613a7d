// One established recording dialog on @sidestream/sip, as the domain's RecorderDialog.
import { SidestreamError } from '@sidestream/service';
import {
  type Flow,
  Headers,
  type IncomingInvite,
  type IncomingRequest,
  type OutgoingInvite,
  type SipResponse,
  type UaDialog,
} from '@sidestream/sip';
import { bodyParts, type Part } from '@sidestream/siprec';
import { raced } from '../domain/deadline.js';
import type { HeaderFields, IncomingOffer, RecorderDialog, RecorderHandlers, RecordingBody } from '../domain/ports.js';
import { RecorderSessionTimer } from './recorder-session-timer.js';

/** How long the ACK of an answered offer may take: 64*T1 (RFC 3261 §13.3.1.4). */
const ackDeadlineMs = 32_000;
const sdpType = 'application/sdp';

/** Measures a request in the dialog. */
export type TimedRequest = <R>(
  method: 're-INVITE' | 'BYE' | 'OPTIONS',
  request: () => Promise<R>,
  statusOf: (answer: R) => number | undefined,
) => Promise<R>;

export interface RecorderDialogOptions {
  readonly host: string;
  /** Our Contact on a connection; RFC 7866 §6.1.1: the feature tag stands in responses as well. */
  readonly contact: (flow: Flow) => string;
  readonly unusable: (why: string) => void;
  readonly timed: TimedRequest;
}

export class SipRecorderDialog implements RecorderDialog {
  readonly host: string;
  readonly tlsVersion: string;
  readonly clientCertificateSubject: string;
  readonly answer: RecordingBody;
  readonly #dialog: UaDialog;
  readonly #contact: (flow: Flow) => string;
  readonly #accepted: SipResponse;
  #timer: RecorderSessionTimer | undefined;
  readonly #timed: TimedRequest;
  readonly unusable: (why: string) => void;

  constructor({ host, contact, unusable, timed }: RecorderDialogOptions, { dialog, response, flow }: OutgoingInvite) {
    this.host = host;
    this.#timed = timed;
    this.#contact = contact;
    this.unusable = unusable;
    this.tlsVersion = flow.tls?.version ?? '';
    this.clientCertificateSubject = flow.tls?.ownSubject ?? '';
    this.answer = { contentType: response.headers.get('content-type') ?? '', body: response.body };
    this.#dialog = dialog;
    this.#accepted = response;
  }

  listen(handlers: RecorderHandlers): void {
    const timer = new RecorderSessionTimer(this.#accepted, {
      // The whole of what we have to say makes as good a refresh as a shorter request, and goes through the same queue.
      onRefresh: () => handlers.snapshotWanted(),
      onExpired: () => {
        void this.#dialog.bye();
        handlers.ended('lost', 'the session has expired (RFC 4028 §10)');
      },
    });
    this.#timer = timer;
    this.#dialog.on('reinvite', (invite) => {
      const refused = timer.refusal(invite.request);
      if (refused !== undefined) return void invite.respond(422, { headers: headersOf(refused) });
      handlers.offer(this.#offerOf(invite));
      if (wantsSnapshot(invite)) handlers.snapshotWanted();
    });
    this.#dialog.on('flowClosed', () => handlers.doubtful(this.#dialog.flow?.silentSinceMs));
    this.#dialog.on('request', (request) => this.#requested(request, handlers));
    this.#dialog.on('ended', (reason) => {
      timer.stop();
      if (reason === 'remote') handlers.ended('hangup', 'BYE');
      else if (reason === 'error') handlers.ended('lost', 'the dialog is gone');
    });
  }

  async reinvite(
    request: RecordingBody & { headers: HeaderFields },
    signal: AbortSignal,
  ): Promise<RecordingBody & { status: number; reason: string }> {
    try {
      const { contentType, body, headers } = request;
      const send = async () => {
        const lines = [...headers, ...(this.#timer?.headers ?? [])];
        const reinvite = () => this.#dialog.reinvite({ contentType, body, headers: headersOf(lines), signal });
        const response = await this.#timed('re-INVITE', reinvite, ({ status }) => status);
        this.#timer?.responded(response);
        return response;
      };
      const first = await send();
      // RFC 4028 §7.3: once more with the interval that is asked for; a second 422 is a refusal.
      const response = first.status === 422 && this.#timer !== undefined ? await send() : first;
      const { status, reason } = response;
      return { status, reason, contentType: response.headers.get('content-type') ?? '', body: response.body };
    } catch (error) {
      if (hasStatus(error, 491))
        return { status: 491, reason: 'Request Pending', contentType: '', body: Buffer.alloc(0) };
      const text = `recorder ${this.host}: ${error instanceof Error ? error.message : String(error)}`;
      throw new SidestreamError('recorder-unreachable', text, { cause: error });
    }
  }

  async probe(signal: AbortSignal): Promise<number | undefined> {
    try {
      const ask = () => this.#dialog.request('OPTIONS', { signal });
      return (await this.#timed('OPTIONS', ask, ({ status }) => status)).status;
    } catch {
      return undefined;
    }
  }

  async bye(request: RecordingBody & { headers: HeaderFields }, signal: AbortSignal): Promise<number | undefined> {
    const { contentType, body, headers } = request;
    const bye = () => this.#dialog.bye({ contentType, body, headers: headersOf(headers), signal });
    const response = await this.#timed('BYE', bye, (answer) => answer?.status);
    return response?.status;
  }

  state(): object {
    return this.#dialog.state;
  }

  #offerOf(invite: IncomingInvite): IncomingOffer {
    const sdp = sdpOf(invite);
    return {
      sdp,
      answer: async (own) => {
        const acknowledged = new Promise<string>((resolve) => {
          invite.on('ack', (ack) => resolve(ack.body.toString()));
        });
        invite.accept({
          body: Buffer.from(own),
          contentType: sdpType,
          contact: this.#contact(invite.flow),
          headers: headersOf(this.#timer?.accept(invite.request) ?? []),
        });
        // Only an ACK that answers our offer says anything.
        return sdp === '' ? raced(acknowledged, AbortSignal.timeout(ackDeadlineMs)) : '';
      },
      refuse: (status) => void invite.respond(status).catch(() => false),
    };
  }

  #requested(request: IncomingRequest, handlers: RecorderHandlers): void {
    const respond = (status: number, lines: HeaderFields = [], own?: string) => {
      const body = own === undefined ? {} : { body: Buffer.from(own), contentType: sdpType };
      void request.respond(status, { ...body, headers: headersOf(lines) });
    };
    switch (request.request.method) {
      case 'UPDATE': {
        const refused = this.#timer?.refusal(request.request);
        if (refused !== undefined) {
          respond(422, refused);
          return;
        }
        const sdp = sdpOf(request);
        const agreed = () => this.#timer?.accept(request.request) ?? [];
        const answer = async (own: string) => {
          respond(200, agreed(), own);
          return '';
        };
        // Without an offer it is a refresh, or a request for a snapshot (RFC 7866 §9.2): the session is as it was.
        if (sdp === '') respond(200, agreed());
        else handlers.offer({ sdp, answer, refuse: (status) => respond(status) });
        if (wantsSnapshot(request)) handlers.snapshotWanted();
        return;
      }
      case 'OPTIONS':
      case 'INFO':
        respond(200);
        return;
      default:
        respond(501);
    }
  }
}

function headersOf(lines: HeaderFields): Headers {
  return new Headers(lines);
}

function sdpOf(request: IncomingRequest): string {
  return (
    partsOf(request)
      .find(({ mediaType }) => mediaType === sdpType)
      ?.body.toString() ?? ''
  );
}

/** The type is the metadata's own (RFC 7866 §9.2); some recorders have one of their own for the request. */
function wantsSnapshot(request: IncomingRequest): boolean {
  return partsOf(request).some(
    ({ mediaType, body }) =>
      mediaType === 'application/rs-metadata-request' ||
      (/^application\/rs-metadata(\+xml)?$/.test(mediaType) && body.includes('requestsnapshot')),
  );
}

function partsOf({ request }: IncomingRequest): readonly Part[] {
  if (request.body.length === 0) return [];
  try {
    return bodyParts(request.headers.get('content-type') ?? sdpType, request.body);
  } catch {
    return [];
  }
}

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof Error && 'status' in error && error.status === status;
}
