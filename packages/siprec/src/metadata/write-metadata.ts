// RFC 7865 documents out of the model. The schema (§9) is an ordered sequence everywhere, so the order of the keys below is
// the order of the schema; rs-metadata.xsd checks it in the tests.
import { XMLBuilder } from 'fast-xml-parser';
import type { Party, RecorderProfile } from '../recorder-profile.js';
import { displayName } from './participant-identity.js';
import type { Association, RecordingModel } from './recording-model.js';
import { uuidToWire } from './uuid.js';
import { xmlText } from './xml-text.js';

/** The namespace of RFC 7865 §12.2. */
export const metadataNamespace = 'urn:ietf:params:xml:ns:recording:1';

/**
 * What to write. `complete` is the full snapshot; its labels may only be left in when the SDP offer that defines them is in
 * the same message (RFC 7866 §9.1). `partial` has no labels: it is the end of the session, for a BYE (RFC 8068 §3.2.4), or, before
 * that, what flows now.
 */
export type MetadataForm = { readonly profile: RecorderProfile } & (
  | { readonly datamode: 'complete'; readonly labels: boolean }
  | { readonly datamode: 'partial'; readonly labels: false }
);

/** Attributes are the keys with an @; an array is an element for each of its members; undefined is no element. */
interface XmlNode {
  readonly [name: string]: string | undefined | XmlNode | readonly (string | XmlNode)[];
}

const parties: readonly Party[] = ['customer', 'seller'];
const otherParty: Readonly<Record<Party, Party>> = { customer: 'seller', seller: 'customer' };

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  format: true,
  indentBy: ' ',
  suppressEmptyNode: true,
  suppressBooleanAttributes: false,
});

/** The metadata document. Valid against RFC 7865 §9 whatever the participants are called. */
export function writeMetadata(model: RecordingModel, form: MetadataForm): string {
  const content = form.datamode === 'partial' ? update(model) : snapshot(model, form.profile, form.labels);
  const document: XmlNode = { recording: { '@xmlns': metadataNamespace, datamode: form.datamode, ...content } };
  const lines = builder.build(document).trimEnd().split('\n');
  return ['<?xml version="1.0" encoding="UTF-8"?>', ...lines].join('\r\n');
}

function snapshot(model: RecordingModel, profile: RecorderProfile, labels: boolean): XmlNode {
  const sessionId = uuidToWire(model.sessionId);
  const participants = [...parties.map((party) => model.participants[party]), ...(model.former ?? [])];
  const group = model.groupId && {
    '@group_id': uuidToWire(model.groupId),
    'associate-time': rfc3339(model.startTime),
  };
  return {
    group,
    session: session(model, profile),
    participant: participants.map(({ id, aor, name }) => ({
      '@participant_id': uuidToWire(id),
      nameID: { '@aor': aor, name },
    })),
    stream: parties.map((party) => ({
      '@stream_id': uuidToWire(model.streams[party].id),
      '@session_id': sessionId,
      label: labels ? profile.labels[party] : undefined,
    })),
    sessionrecordingassoc: { '@session_id': sessionId, ...association(model.recorded) },
    participantsessionassoc: participants.map((participant) => ({
      '@participant_id': uuidToWire(participant.id),
      '@session_id': sessionId,
      ...association(participant),
    })),
    participantstreamassoc: parties.map((party) => streamAssociation(model, party)),
  };
}

/** Without `send` or `recv` the participant is on hold, in that direction (RFC 7865 §6.6). */
function streamAssociation({ participants, streams, flows }: RecordingModel, party: Party): XmlNode {
  const other = otherParty[party];
  const sends = flows?.[party].sends ?? true;
  const receives = (flows?.[party].receives ?? true) && (flows?.[other].sends ?? true);
  return {
    '@participant_id': uuidToWire(participants[party].id),
    send: sends ? uuidToWire(streams[party].id) : undefined,
    recv: receives ? uuidToWire(streams[other].id) : undefined,
  };
}

function session(model: RecordingModel, { extensionNamespace }: RecorderProfile): XmlNode {
  const { customer, seller } = model.participants;
  const [caller, callee] = model.direction === 'inbound' ? [customer, seller] : [seller, customer];
  const parameter = (name: string, value: string) => ({ '@name': name, '@value': value });
  return {
    '@session_id': uuidToWire(model.sessionId),
    sipSessionID: model.sipSessionIds.map(xmlText),
    'group-ref': model.groupId && uuidToWire(model.groupId),
    'start-time': rfc3339(model.startTime),
    'stop-time': model.stopTime && rfc3339(model.stopTime),
    // The schema lets foreign elements stand only after its own children.
    ExtensionParameters: extensionNamespace && {
      '@xmlns': extensionNamespace,
      Parameter: [
        parameter('Role', model.direction),
        parameter('CallerDisplayName', displayName(caller)),
        parameter('CalleeDisplayName', displayName(callee)),
      ],
    },
  };
}

function update(model: RecordingModel): XmlNode {
  const { stopTime } = model;
  if (stopTime !== undefined) return end(model, stopTime);
  return { participantstreamassoc: parties.map((party) => streamAssociation(model, party)) };
}

function end(model: RecordingModel, stopTime: Date): XmlNode {
  const sessionId = uuidToWire(model.sessionId);
  const disassociated = ({ disassociateTime = stopTime }: Association) => ({
    'disassociate-time': rfc3339(disassociateTime),
  });
  return {
    session: { '@session_id': sessionId, 'stop-time': rfc3339(stopTime) },
    sessionrecordingassoc: { '@session_id': sessionId, ...disassociated(model.recorded) },
    participantsessionassoc: parties.map((party) => ({
      '@participant_id': uuidToWire(model.participants[party].id),
      '@session_id': sessionId,
      ...disassociated(model.participants[party]),
    })),
  };
}

function association({ associateTime, disassociateTime }: Association): XmlNode {
  return {
    'associate-time': rfc3339(associateTime),
    'disassociate-time': disassociateTime && rfc3339(disassociateTime),
  };
}

/** RFC 7865 §6.9 wants RFC 3339 with capital T and Z, which is what JavaScript's ISO form is. */
function rfc3339(time: Date): string {
  return time.toISOString();
}
