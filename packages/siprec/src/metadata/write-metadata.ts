// RFC 7865 documents out of the model. The schema (§9) is an ordered sequence everywhere, so the order of the calls below is
// the order of the schema; rs-metadata.xsd checks it in the tests.
import { create } from 'xmlbuilder2';
import type { Party, RecorderProfile } from '../recorder-profile.js';
import { SiprecError } from '../siprec-error.js';
import { displayName } from './participant-identity.js';
import type { Association, RecordingModel } from './recording-model.js';
import { uuidToWire } from './uuid.js';
import { xmlText } from './xml-text.js';

/** The namespace of RFC 7865 §12.2. */
export const metadataNamespace = 'urn:ietf:params:xml:ns:recording:1';

/**
 * What to write. `complete` is the full snapshot; its labels may only be left in when the SDP offer that defines them is in
 * the same message (RFC 7866 §9.1). `partial` is the end of the session, for a BYE (RFC 8068 §3.2.4), never with labels.
 */
export type MetadataForm = { readonly profile: RecorderProfile } & (
  | { readonly datamode: 'complete'; readonly labels: boolean }
  | { readonly datamode: 'partial'; readonly labels: false }
);

type XmlElement = ReturnType<typeof create>;

const parties: readonly Party[] = ['customer', 'seller'];
const otherParty: Readonly<Record<Party, Party>> = { customer: 'seller', seller: 'customer' };

/**
 * The metadata document. Valid against RFC 7865 §9 whatever the participants are called.
 * @throws SiprecError `recording-not-ended` for a partial document of a recording that has no stop time
 */
export function writeMetadata(model: RecordingModel, form: MetadataForm): string {
  const recording = create({ version: '1.0', encoding: 'UTF-8' }).ele(metadataNamespace, 'recording');
  recording.ele('datamode').txt(form.datamode);
  if (form.datamode === 'partial') writeEnd(recording, model);
  else writeSnapshot(recording, model, form.profile, form.labels);
  return recording.end({ prettyPrint: true, indent: ' ', newline: '\r\n' });
}

function writeSnapshot(recording: XmlElement, model: RecordingModel, profile: RecorderProfile, labels: boolean): void {
  const sessionId = uuidToWire(model.sessionId);
  if (model.groupId !== undefined) {
    const group = recording.ele('group', { group_id: uuidToWire(model.groupId) });
    group.ele('associate-time').txt(rfc3339(model.startTime));
  }
  writeSession(recording, model, profile);
  for (const party of parties) {
    const { id, aor, name } = model.participants[party];
    const nameId = recording
      .ele('participant', { participant_id: uuidToWire(id) })
      .ele('nameID', { aor: ampersands(aor) });
    if (name !== undefined) nameId.ele('name').txt(ampersands(name));
  }
  for (const party of parties) {
    const stream = recording.ele('stream', {
      stream_id: uuidToWire(model.streams[party].id),
      session_id: sessionId,
    });
    if (labels) stream.ele('label').txt(ampersands(profile.labels[party]));
  }
  writeAssociation(recording.ele('sessionrecordingassoc', { session_id: sessionId }), model.recorded);
  for (const party of parties) {
    const participant = model.participants[party];
    const ids = { participant_id: uuidToWire(participant.id), session_id: sessionId };
    writeAssociation(recording.ele('participantsessionassoc', ids), participant);
  }
  for (const party of parties) {
    const association = recording.ele('participantstreamassoc', {
      participant_id: uuidToWire(model.participants[party].id),
    });
    association.ele('send').txt(uuidToWire(model.streams[party].id));
    association.ele('recv').txt(uuidToWire(model.streams[otherParty[party]].id));
  }
}

function writeSession(recording: XmlElement, model: RecordingModel, profile: RecorderProfile): void {
  const session = recording.ele('session', { session_id: uuidToWire(model.sessionId) });
  for (const id of model.sipSessionIds) session.ele('sipSessionID').txt(ampersands(xmlText(id)));
  if (model.groupId !== undefined) session.ele('group-ref').txt(uuidToWire(model.groupId));
  session.ele('start-time').txt(rfc3339(model.startTime));
  if (model.stopTime !== undefined) session.ele('stop-time').txt(rfc3339(model.stopTime));
  const namespace = profile.extensionNamespace;
  if (namespace === undefined) return;
  // The schema lets foreign elements stand only after its own children.
  const extension = session.ele(namespace, 'ExtensionParameters');
  const { customer, seller } = model.participants;
  const [caller, callee] = model.direction === 'inbound' ? [customer, seller] : [seller, customer];
  extension.ele(namespace, 'Parameter', { name: 'Role', value: model.direction });
  extension.ele(namespace, 'Parameter', { name: 'CallerDisplayName', value: ampersands(displayName(caller)) });
  extension.ele(namespace, 'Parameter', { name: 'CalleeDisplayName', value: ampersands(displayName(callee)) });
}

function writeEnd(recording: XmlElement, model: RecordingModel): void {
  const { stopTime } = model;
  if (stopTime === undefined) {
    throw new SiprecError('recording-not-ended', 'a partial document is the end of a recording, and this one goes on');
  }
  const sessionId = uuidToWire(model.sessionId);
  const disassociated = ({ disassociateTime = stopTime }: Association) => rfc3339(disassociateTime);
  recording.ele('session', { session_id: sessionId }).ele('stop-time').txt(rfc3339(stopTime));
  const association = recording.ele('sessionrecordingassoc', { session_id: sessionId });
  association.ele('disassociate-time').txt(disassociated(model.recorded));
  for (const party of parties) {
    const participant = model.participants[party];
    const ids = { participant_id: uuidToWire(participant.id), session_id: sessionId };
    recording.ele('participantsessionassoc', ids).ele('disassociate-time').txt(disassociated(participant));
  }
}

function writeAssociation(element: XmlElement, { associateTime, disassociateTime }: Association): void {
  element.ele('associate-time').txt(rfc3339(associateTime));
  if (disassociateTime !== undefined) element.ele('disassociate-time').txt(rfc3339(disassociateTime));
}

/** RFC 7865 §6.9 wants RFC 3339 with capital T and Z, which is what JavaScript's ISO form is. */
function rfc3339(time: Date): string {
  return time.toISOString();
}

/**
 * xmlbuilder2 escapes everything but an ampersand that looks like the start of a reference: `&a;` in a name would make the
 * document malformed. It leaves `&amp;` alone, so ampersands are escaped before it sees them.
 */
function ampersands(text: string): string {
  return text.replaceAll('&', '&amp;');
}
