// The bodies of a recording session's requests: which parts stand in which request, in which order.

import { endRecordingModel, type RecordingModel } from './metadata/recording-model.js';
import { writeMetadata } from './metadata/write-metadata.js';
import { type MultipartBody, writeMultipart } from './mime/write-multipart.js';
import type { RecorderProfile } from './recorder-profile.js';

export interface InitialBodyInput {
  readonly model: RecordingModel;
  /** The offer of the same request, whose labels the metadata names (RFC 7866 §9.1). */
  readonly offerSdp: string;
  /** Only what flows now, as partial metadata; the recorder has the rest. A profile without partial updates gets all of it. */
  readonly flowsAlone?: boolean;
  readonly profile: RecorderProfile;
  /** Proposes boundaries; for tests. */
  readonly newBoundary?: () => string;
}

export interface ByeBodyInput {
  readonly model: RecordingModel;
  readonly profile: RecorderProfile;
  /** End of the call; not needed when the model has ended already. */
  readonly stopTime: Date;
  readonly newBoundary?: () => string;
}

/**
 * The body of an INVITE or re-INVITE: the offer and the full metadata snapshot with labels, or, once that was sent, a partial update
 * (RFC 7866 §9.1).
 */
export function initialBody(input: InitialBodyInput): MultipartBody {
  const { model, offerSdp, profile, flowsAlone = false, newBoundary } = input;
  const metadata =
    flowsAlone && profile.partialUpdates
      ? writeMetadata(model, { datamode: 'partial', labels: false, profile })
      : writeMetadata(model, { datamode: 'complete', labels: true, profile });
  return writeMultipart(
    [{ contentType: 'application/sdp', body: offerSdp }, metadataPart(profile, metadata)],
    newBoundary,
  );
}

/**
 * The body of a BYE: partial metadata with stop and disassociation times and no label, because no offer in a BYE could
 * define one (RFC 8068 §3.2.4, RFC 7866 §9.1).
 */
export function byeBody({ model, profile, stopTime, newBoundary }: ByeBodyInput): MultipartBody {
  const metadata = writeMetadata(endRecordingModel(model, stopTime), { datamode: 'partial', labels: false, profile });
  return writeMultipart([metadataPart(profile, metadata)], newBoundary);
}

function metadataPart(profile: RecorderProfile, metadata: string) {
  return { contentType: profile.metadataType, disposition: 'recording-session', body: metadata };
}
