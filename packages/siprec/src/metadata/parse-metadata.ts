// RFC 7865 documents of others into data: what a recorder reads. Order, namespaces, letter case and the shapes of the drafts are
// forgiven, because half of the clients in the field write one of them; a missing id or a wrong root is not.
import { quoted, SiprecError } from '../siprec-error.js';
import { childrenOf, childText, idOf, type Located, locate, reference } from './draft-shapes.js';
import type { ParsedMetadata, ParsedSession, ParsedTimes } from './parsed-metadata.js';
import { parseXml, type XmlElement } from './xml-element.js';

/**
 * The content of a metadata document, bounded in size and depth.
 * @throws SiprecError `metadata-*`; the message names the element and the attribute
 */
export function parseMetadata(xml: string): ParsedMetadata {
  return readMetadata(parseXml(xml));
}

/** The same of a tree that was read already. */
export function readMetadata(root: XmlElement): ParsedMetadata {
  // Drafts have the elements of the recording beside an empty one, under a root of their own.
  if (root.name !== 'recording' && root.name !== 'recording_metadata') {
    throw new SiprecError('metadata-root', `the root element is ${quoted(root.name)}, not recording`, 'RFC 7865 §6.1');
  }
  const located = locate(root);
  const all = (name: string) => located.filter(({ canonical }) => canonical === name);
  const participants = all('participant');
  return {
    datamode: datamode(root),
    groups: all('group').map(({ element }) => ({ id: idOf(element), ...times(element) })),
    sessions: all('session').map(({ element }) => session(element)),
    participants: participants.map(({ element }) => ({ id: idOf(element), nameIds: nameIds(element) })),
    streams: all('stream').map((stream) => ({
      id: idOf(stream.element),
      ...optional('sessionId', reference(stream, 'session')),
      ...optional('label', childText(stream.element, 'label')),
    })),
    sessionRecordings: all('sessionrecordingassoc').map((association) => ({
      sessionId: required(association, 'session'),
      ...times(association.element),
    })),
    participantSessions: [
      ...all('participantsessionassoc').map((association) => ({
        participantId: required(association, 'participant'),
        sessionId: required(association, 'session'),
        ...times(association.element),
      })),
      ...participants.flatMap(participantSession),
    ],
    participantStreams: [
      ...all('participantstreamassoc').map((association) => ({
        participantId: required(association, 'participant'),
        ...streamsOf(association.element),
      })),
      ...participants.flatMap(participantStream),
    ],
  };
}

/** RFC 7865 §6.1.1: a document without datamode is complete. */
function datamode(root: XmlElement): 'complete' | 'partial' {
  const value = (childText(root, 'datamode') ?? 'complete').toLowerCase();
  if (value === 'complete' || value === 'partial') return value;
  throw new SiprecError('metadata-content', `datamode is ${quoted(value)}`, 'RFC 7865 §6.1.1');
}

function session(element: XmlElement): ParsedSession {
  const { associateTime, disassociateTime } = times(element);
  const parameters = childrenOf(element, 'extensionparameters').flatMap((extension) =>
    childrenOf(extension, 'parameter'),
  );
  return {
    id: idOf(element),
    sipSessionIds: childrenOf(element, 'sipsessionid').map(({ text }) => text.trim()),
    ...optional('groupRef', childText(element, 'groupref') ?? element.attributes.get('group')),
    // Drafts give a session the times of an association.
    ...optional('startTime', childText(element, 'starttime') ?? associateTime),
    ...optional('stopTime', childText(element, 'stoptime') ?? disassociateTime),
    extensionParameters: new Map(
      parameters.map(({ attributes }) => [attributes.get('name') ?? '', attributes.get('value') ?? '']),
    ),
  };
}

/** RFC 7865 has the address in `nameID`, drafts in elements of their own. */
function nameIds(participant: XmlElement): { aor: string; name?: string }[] {
  const named = childrenOf(participant, 'nameid').map((nameId) => ({
    aor: nameId.attributes.get('aor') ?? childText(nameId, 'aor') ?? '',
    ...optional('name', childText(nameId, 'name') ?? nameId.attributes.get('name')),
  }));
  const bare = childrenOf(participant, 'aor').map(({ text }) => ({
    aor: text.trim(),
    ...optional('name', childText(participant, 'name')),
  }));
  return [...named, ...bare];
}

/** In drafts a participant names its session itself, or stands in it. */
function participantSession(participant: Located): ParsedMetadata['participantSessions'] {
  const sessionId = reference(participant, 'session');
  if (sessionId === undefined) return [];
  return [{ participantId: idOf(participant.element), sessionId, ...times(participant.element) }];
}

/** In drafts a participant names its streams itself. */
function participantStream({ element }: Located): ParsedMetadata['participantStreams'] {
  const streams = streamsOf(element);
  return streams.send.length + streams.recv.length === 0 ? [] : [{ participantId: idOf(element), ...streams }];
}

function streamsOf(element: XmlElement): { send: string[]; recv: string[] } & ParsedTimes {
  const ids = (name: string) => childrenOf(element, name).map((child) => childText(child, 'id') ?? child.text.trim());
  return { send: ids('send'), recv: ids('recv'), ...times(element) };
}

function times(element: XmlElement): ParsedTimes {
  return {
    ...optional('associateTime', childText(element, 'associatetime')),
    ...optional('disassociateTime', childText(element, 'disassociatetime')),
  };
}

function required(located: Located, what: 'participant' | 'session'): string {
  const value = reference(located, what);
  if (value !== undefined) return value;
  throw new SiprecError('metadata-content', `${located.element.name} has no attribute ${what}_id`, 'RFC 7865 §9');
}

function optional<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  const entry: { [P in K]?: string } = {};
  if (value !== undefined) entry[key] = value;
  return entry;
}
