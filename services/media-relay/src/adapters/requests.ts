// What a gRPC request must look like before the domain sees it: ids that are safe in tags and logs, SDP that fits.
import { Srtp, Party as WireParty, type PartyTerms as WireTerms } from '@sidestream/proto/media/v1';
import { SidestreamError } from '@sidestream/service';
import type { Party, PartyTerms } from '../domain/ports.js';

/** The engine's `list` must fit into one datagram, see rtpengine.ts. */
const id = /^[A-Za-z0-9._:@-]{1,64}$/;
/** A tenth of it is a long SDP; the whole must fit into an ng datagram with the rest. */
const maxSdpBytes = 48 * 1024;

/** Sessions that are measured at a time. */
const maxMeasured = 100;

const codecName = /^[A-Za-z0-9-]{1,32}$/;
const maxCodecs = 32;

/** @throws SidestreamError bad-request, naming the field; so do the others. */
export function readId(field: string, value: string): string {
  if (!id.test(value)) throw bad(field, 'must be 1 to 64 letters, digits and . _ : @ -');
  return value;
}

export function readSessionIds(values: readonly string[]): readonly string[] {
  if (values.length > maxMeasured) throw bad('session_ids', `has ${values.length} entries: at most ${maxMeasured}`);
  return values.map((value) => readId('session_ids', value));
}

export function readSdp(value: string): string {
  const bytes = Buffer.byteLength(value);
  if (bytes === 0 || bytes > maxSdpBytes) throw bad('sdp', `has ${bytes} bytes: 1 to ${maxSdpBytes} are taken`);
  return value;
}

export function readParty(field: string, value: WireParty): Party {
  switch (value) {
    case WireParty.CUSTOMER:
      return 'customer';
    case WireParty.SELLER:
      return 'seller';
    case WireParty.UNSPECIFIED:
    case WireParty.UNRECOGNIZED:
      throw bad(field, 'must be PARTY_CUSTOMER or PARTY_SELLER');
    default:
      return value satisfies never;
  }
}

export function readParties(values: readonly WireParty[]): Party[] {
  if (values.length > 2) throw bad('parties', 'has more than two entries');
  return values.map((value) => readParty('parties', value));
}

export function readTerms(values: readonly WireTerms[]): Partial<Record<Party, PartyTerms>> {
  return Object.fromEntries(
    values.map(({ party, codecs, srtp }) => {
      if (codecs.length > maxCodecs || codecs.some((name) => !codecName.test(name)))
        throw bad('terms.codecs', `must be at most ${maxCodecs} names of codecs`);
      return [readParty('terms.party', party), { codecs, srtp: readSrtp(srtp) }];
    }),
  );
}

function readSrtp(value: Srtp): PartyTerms['srtp'] {
  switch (value) {
    case Srtp.OFF:
    case Srtp.UNSPECIFIED:
      return 'off';
    case Srtp.OFFER:
      return 'offer';
    case Srtp.REQUIRE:
      return 'require';
    case Srtp.UNRECOGNIZED:
      throw bad('terms.srtp', 'is none that is known');
    default:
      return value satisfies never;
  }
}

export function writeParty(party: Party): WireParty {
  return party === 'customer' ? WireParty.CUSTOMER : WireParty.SELLER;
}

function bad(field: string, what: string): SidestreamError {
  return new SidestreamError('bad-request', `${field} ${what}`);
}
