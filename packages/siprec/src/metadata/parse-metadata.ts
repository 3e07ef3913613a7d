// RFC 7865 documents of others into data: what a recorder reads. Order, namespaces and letter case are forgiven, because half
// of the clients in the field get them wrong; a missing id or a wrong root is not.
import { quoted, SiprecError } from '../siprec-error.js';
import { parseXml, type XmlElement } from './xml-element.js';

/** Times are kept as written: their form is the sender's, and judging it is the reader's. */
export interface ParsedTimes {
  readonly associateTime?: string;
  readonly disassociateTime?: string;
}

export interface ParsedSession {
  readonly id: string;
  readonly sipSessionIds: readonly string[];
  readonly groupRef?: string;
  readonly startTime?: string;
  readonly stopTime?: string;
  /** `Parameter` name to value of the session's ExtensionParameters, in whatever namespace. */
  readonly extensionParameters: ReadonlyMap<string, string>;
}

/** Ids are in their wire form, base64; `uuidFromWire` turns a proper one into a UUID. */
export interface ParsedMetadata {
  readonly datamode: 'complete' | 'partial';
  readonly groups: readonly ({ readonly id: string } & ParsedTimes)[];
  readonly sessions: readonly ParsedSession[];
  readonly participants: readonly {
    readonly id: string;
    readonly nameIds: readonly { readonly aor: string; readonly name?: string }[];
  }[];
  readonly streams: readonly { readonly id: string; readonly sessionId?: string; readonly label?: string }[];
  readonly sessionRecordings: readonly ({ readonly sessionId: string } & ParsedTimes)[];
  readonly participantSessions: readonly ({
    readonly participantId: string;
    readonly sessionId: string;
  } & ParsedTimes)[];
  readonly participantStreams: readonly ({
    readonly participantId: string;
    readonly send: readonly string[];
    readonly recv: readonly string[];
  } & ParsedTimes)[];
}

/**
 * The content of a metadata document, bounded in size and depth.
 * @throws SiprecError `metadata-*`; the message names the element and the attribute
 */
export function parseMetadata(xml: string): ParsedMetadata {
  const root = parseXml(xml);
  if (root.name !== 'recording') {
    throw new SiprecError('metadata-root', `the root element is ${quoted(root.name)}, not recording`, 'RFC 7865 §6.1');
  }
  const all = (name: string) => root.children.filter((child) => child.name === name);
  return {
    datamode: datamode(root),
    groups: all('group').map((group) => ({ id: required(group, 'group_id'), ...times(group) })),
    sessions: all('session').map(session),
    participants: all('participant').map((participant) => ({
      id: required(participant, 'participant_id'),
      nameIds: children(participant, 'nameid').map((nameId) => ({
        aor: required(nameId, 'aor'),
        ...optional('name', childText(nameId, 'name')),
      })),
    })),
    streams: all('stream').map((stream) => ({
      id: required(stream, 'stream_id'),
      ...optional('sessionId', stream.attributes.get('session_id')),
      ...optional('label', childText(stream, 'label')),
    })),
    sessionRecordings: all('sessionrecordingassoc').map((association) => ({
      sessionId: required(association, 'session_id'),
      ...times(association),
    })),
    participantSessions: all('participantsessionassoc').map((association) => ({
      participantId: required(association, 'participant_id'),
      sessionId: required(association, 'session_id'),
      ...times(association),
    })),
    participantStreams: all('participantstreamassoc').map((association) => ({
      participantId: required(association, 'participant_id'),
      send: children(association, 'send').map(({ text }) => text.trim()),
      recv: children(association, 'recv').map(({ text }) => text.trim()),
      ...times(association),
    })),
  };
}

/** RFC 7865 §6.1.1: a document without datamode is complete. */
function datamode(root: XmlElement): 'complete' | 'partial' {
  const value = (childText(root, 'datamode') ?? 'complete').toLowerCase();
  if (value === 'complete' || value === 'partial') return value;
  throw new SiprecError('metadata-content', `datamode is ${quoted(value)}`, 'RFC 7865 §6.1.1');
}

function session(element: XmlElement): ParsedSession {
  const parameters = children(element, 'extensionparameters').flatMap((extension) => children(extension, 'parameter'));
  return {
    id: required(element, 'session_id'),
    sipSessionIds: children(element, 'sipsessionid').map(({ text }) => text.trim()),
    ...optional('groupRef', childText(element, 'group-ref')),
    ...optional('startTime', childText(element, 'start-time')),
    ...optional('stopTime', childText(element, 'stop-time')),
    extensionParameters: new Map(
      parameters.map((parameter) => [required(parameter, 'name'), parameter.attributes.get('value') ?? '']),
    ),
  };
}

function times(element: XmlElement): ParsedTimes {
  return {
    ...optional('associateTime', childText(element, 'associate-time')),
    ...optional('disassociateTime', childText(element, 'disassociate-time')),
  };
}

function children(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

function childText(element: XmlElement, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text.trim();
}

function required(element: XmlElement, attribute: string): string {
  const value = element.attributes.get(attribute);
  if (value !== undefined) return value;
  throw new SiprecError('metadata-content', `${element.name} has no attribute ${attribute}`, 'RFC 7865 §9');
}

function optional<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  const entry: { [P in K]?: string } = {};
  if (value !== undefined) entry[key] = value;
  return entry;
}
