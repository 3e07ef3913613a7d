/**
 * One call of a party, placed or received: its dialog, its media and its moments. It ends once. The SIP of setting it up is
 * in `placed-call.ts` and `received-call.ts`.
 */
import { EventEmitter } from 'node:events';
import { type IncomingInvite, SipError, type SipRequest, type UaDialog } from '@sidestream/sip';
import type { SentPacket } from '../rtp/paced-sender.js';
import type { HeardPacket, HeardStatistics, PartyMedia } from './party-media.js';
import type { RecordPreference } from './party-options.js';
import { type LocalMedia, writePartySdp } from './party-sdp.js';

const SDP = 'application/sdp';

/** How a call ended. `status` is the refusal's, where there was one. */
export interface CallEnd {
  by: 'local' | 'remote' | 'rejected' | 'cancelled' | 'error';
  status?: number;
  reason?: string;
}

/** Moments of a call, milliseconds since the epoch. */
export interface CallMoments {
  startedAt: number;
  /** First 18x sent or received. */
  ringingAt?: number;
  answeredAt?: number;
  endedAt?: number;
}

export interface PartyCallEvents {
  ringing: [];
  answered: [];
  /** The other side's re-INVITE was answered. */
  changed: [];
  ended: [end: CallEnd];
}

/** See the module's head. */
export class PartyCall extends EventEmitter<PartyCallEvents> {
  readonly id: string;
  readonly direction: 'placed' | 'received';
  /** The INVITE, as sent or received; for a placed call once it is answered. */
  invite: SipRequest | undefined;
  readonly moments: CallMoments = { startedAt: Date.now() };
  /** Resolves when the call is answered; rejects with SipError when it never is. */
  readonly answered: Promise<void>;
  /** Resolves when the call is over and its file complete; never rejects. */
  readonly ended: Promise<CallEnd>;
  readonly #media: PartyMedia;
  readonly #abort = new AbortController();
  #dialog: UaDialog | undefined;
  #end: CallEnd | undefined;
  #onAnswered: () => void = () => undefined;
  #onRefused: (error: SipError) => void = () => undefined;
  #onEnded: (end: CallEnd) => void = () => undefined;
  #limit: NodeJS.Timeout | undefined;

  constructor(id: string, direction: 'placed' | 'received', media: PartyMedia) {
    super();
    this.id = id;
    this.direction = direction;
    this.#media = media;
    this.answered = new Promise((resolve, reject) => {
      this.#onAnswered = resolve;
      this.#onRefused = reject;
    });
    this.answered.catch(() => undefined);
    this.ended = new Promise((resolve) => {
      this.#onEnded = resolve;
    });
  }

  /** Every packet sent, newest bounded. */
  get sent(): SentPacket[] {
    return this.#media.sent;
  }

  /** Every packet heard, newest bounded, in the order of arrival. */
  get received(): HeardPacket[] {
    return this.#media.heard;
  }

  get statistics(): HeardStatistics {
    return this.#media.statistics;
  }

  /** From the INVITE to the first sign of ringing, or to the answer when nothing rang; undefined before. */
  get postDialDelayMs(): number | undefined {
    const at = this.moments.ringingAt ?? this.moments.answeredAt;
    return at === undefined ? undefined : at - this.moments.startedAt;
  }

  /** The dialog once there is one, for requests that a test makes itself. */
  get dialog(): UaDialog | undefined {
    return this.#dialog;
  }

  /** Aborted when the call is cancelled or over before its answer; for whoever sets it up. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get over(): boolean {
    return this.#end !== undefined;
  }

  /** Puts the other side on hold by re-INVITE (`a=sendonly`, or `a=inactive`) and stops speaking. */
  async hold(direction: 'sendonly' | 'inactive' = 'sendonly'): Promise<void> {
    await this.#reoffer(direction);
    this.#media.silence();
  }

  /** Stops speaking without a word of it, as a phone does that has lost its network. */
  fallSilent(): void {
    this.#media.silence();
  }

  /** Takes the other side back. */
  async resume(): Promise<void> {
    await this.#reoffer('sendrecv');
  }

  /** Says by re-INVITE what it prefers of its recording. */
  async prefer(preference: RecordPreference): Promise<void> {
    this.#media.prefer(preference);
    await this.#reoffer('sendrecv');
  }

  /** Ends the call from this side: BYE, or CANCEL (a refusal, for a received call) before the answer. Resolves when it is over. */
  async hangUp(): Promise<CallEnd> {
    if (this.#dialog === undefined) this.#abort.abort();
    else {
      // Speech ends with the decision to hang up, so that no packet is sent into a call that is being taken down.
      this.#media.stop();
      await this.#dialog.bye({ timeoutMs: 5_000 });
    }
    return await this.ended;
  }

  /** Withdraws a placed call before its answer; the same as {@link hangUp} then. */
  async cancel(): Promise<CallEnd> {
    return await this.hangUp();
  }

  /** Hangs up this long after now, unless the call has ended before. */
  hangUpAfter(delayMs: number): void {
    clearTimeout(this.#limit);
    if (!this.over) this.#limit = setTimeout(() => void this.hangUp(), delayMs).unref();
  }

  /** Notes the first ringing; for whoever sets the call up. */
  rings(): void {
    if (this.moments.ringingAt !== undefined) return;
    this.moments.ringingAt = Date.now();
    this.emit('ringing');
  }

  /** Takes the confirmed dialog, and the other side's SDP when it is known; for whoever sets the call up. */
  confirm(dialog: UaDialog, remoteSdp: string | undefined): void {
    this.#dialog = dialog;
    this.moments.answeredAt = Date.now();
    dialog.on('reinvite', (invite) => this.#onReinvite(invite));
    dialog.on('ended', (reason) => {
      const by = reason === 'error' ? 'error' : reason;
      void this.finish({ by });
    });
    if (remoteSdp !== undefined) this.applySdp(remoteSdp);
    this.#onAnswered();
    this.emit('answered');
  }

  /** Takes an answer; a body that cannot be used ends the call. */
  applySdp(sdp: string): void {
    const remote = this.#media.read(sdp);
    if (remote === undefined || !this.#media.apply(remote)) void this.#dialog?.bye();
  }

  /** The call is over; the first end counts. For whoever sets the call up. */
  async finish(end: CallEnd): Promise<void> {
    if (this.#end !== undefined) return;
    this.#end = end;
    clearTimeout(this.#limit);
    this.moments.endedAt = Date.now();
    const { status } = end;
    this.#onRefused(
      new SipError(
        end.by === 'rejected' ? 'rejected' : 'cancelled',
        `the call ended before its answer: ${end.reason ?? end.by}`,
        {
          ...(status === undefined ? {} : { status }),
        },
      ),
    );
    try {
      await this.#media.close();
    } catch (error) {
      // The call is over all the same; that its file is not complete is told with the end.
      this.#end = { ...end, reason: `the recording failed: ${error instanceof Error ? error.message : String(error)}` };
    }
    this.#abort.abort();
    this.#onEnded(this.#end);
    this.emit('ended', this.#end);
  }

  async #reoffer(direction: LocalMedia['direction']): Promise<void> {
    const dialog = this.#dialog;
    if (dialog === undefined) throw new SipError('not-possible', 'the call is not answered yet');
    const body = writePartySdp(this.#media.offer(direction));
    const response = await dialog.reinvite({ body, contentType: SDP, timeoutMs: 10_000 });
    if (response.status >= 300) {
      throw new SipError('rejected', `re-INVITE: ${response.status} ${response.reason}`, {
        status: response.status,
        response,
      });
    }
    this.applySdp(response.body.toString('utf8'));
  }

  #onReinvite(invite: IncomingInvite): void {
    const { body } = invite.request;
    if (body.length === 0) {
      // RFC 3261 §14.2: without an offer in the re-INVITE the answer offers, and the ACK answers.
      invite.on('ack', (ack) => this.applySdp(ack.body.toString('utf8')));
      invite.accept({ body: writePartySdp(this.#media.offer()), contentType: SDP });
      return;
    }
    const remote = this.#media.read(body.toString('utf8'));
    const answer = remote && this.#media.answer(remote);
    if (remote === undefined || answer === undefined) {
      void invite.respond(488);
      return;
    }
    invite.accept({ body: writePartySdp(answer), contentType: SDP });
    this.#media.apply(remote);
    this.emit('changed');
  }
}
