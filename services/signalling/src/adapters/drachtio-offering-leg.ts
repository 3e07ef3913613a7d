// The far side's 2xx with an offer, which waits for its ACK, as the domain's OfferingLeg.
import type { Logger } from '@sidestream/service';
import type { DigestLogin } from '@sidestream/sip';
import { raced } from '../domain/deadline.js';
import type { Leg, OfferingLeg } from '../domain/ports.js';
import type { SrfOffered } from './drachtio-contract.js';
import { DrachtioLeg, type LegEdge } from './drachtio-leg.js';
import { sdpOf } from './drachtio-message.js';

export class DrachtioOfferingLeg implements OfferingLeg {
  readonly #offered: SrfOffered;
  readonly #edge: LegEdge;
  readonly #log: Logger;
  readonly #login: DigestLogin | undefined;
  #leg: Promise<DrachtioLeg> | undefined;

  /** @param login answers challenges within the dialog */
  constructor(offered: SrfOffered, edge: LegEdge, log: Logger, login?: DigestLogin) {
    this.#login = login;
    this.#offered = offered;
    this.#edge = edge;
    this.#log = log;
  }

  answer(sdp: string): Promise<Leg> {
    const { res } = this.#offered;
    this.#leg ??= this.#offered
      .ack(sdp)
      .then((dialog) => new DrachtioLeg(dialog, res.get('supported'), this.#edge, this.#log, this.#login));
    return raced(this.#leg, this.#edge.lost);
  }

  /** RFC 3261 §13.2.2.4: an answer that is not wanted is acknowledged, its offer refused in every line, and ended. */
  async bye(reason: string | undefined, signal: AbortSignal): Promise<void> {
    try {
      const leg = await this.answer(refusalOf(sdpOf(this.#offered.res)));
      await leg.bye(reason, signal);
    } catch (error) {
      this.#log.debug({ err: error }, 'an offer of the far side could not be refused');
    }
  }
}

function refusalOf(offer: string): string {
  const media = (offer.match(/^m=.*$/gm) ?? []).map((line) => line.trim().replace(/^(m=\S+) \S+/, '$1 0'));
  return ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 'c=IN IP4 0.0.0.0', 't=0 0', ...media, ''].join('\r\n');
}
