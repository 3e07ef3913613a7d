// The grammar of recording metadata (RFC 7865 §6 and §9) as data. schema/rs-metadata.xsd says the same for a validator; a test
// holds the two together.
import type { SimpleType } from './simple-types.js';

export interface ElementGrammar {
  readonly clause: string;
  readonly attributes: Readonly<Record<string, { readonly type: SimpleType; readonly required: boolean }>>;
  /** Children in their order. */
  readonly children: readonly ChildGrammar[];
  /** Whether elements of other namespaces may follow the children. */
  readonly open: boolean;
  /** Type of the text; absent = there is none, and `empty` not even white space. */
  readonly text?: SimpleType | 'empty';
  /** Whether xml:lang may stand here. */
  readonly lang?: true;
}

export interface ChildGrammar {
  readonly name: string;
  readonly min: 0 | 1;
  readonly max: 1 | 'many';
}

export const recordingNamespace = 'urn:ietf:params:xml:ns:recording:1';

const required = (type: SimpleType) => ({ type, required: true });
const optional = (type: SimpleType) => ({ type, required: false });
const many = (...names: string[]): ChildGrammar[] => names.map((name) => ({ name, min: 0, max: 'many' }));
const one = (...names: string[]): ChildGrammar[] => names.map((name) => ({ name, min: 0, max: 1 }));
const times = one('associate-time', 'disassociate-time');

const leaf = (clause: string, text: SimpleType): ElementGrammar => ({
  clause,
  attributes: {},
  children: [],
  open: false,
  text,
});
const spoken = (clause: string): ElementGrammar => ({ ...leaf(clause, 'string'), lang: true });

/** Every element of the namespace by its name; a name means the same wherever it stands. */
export const metadataGrammar: ReadonlyMap<string, ElementGrammar> = new Map([
  [
    'recording',
    {
      clause: 'RFC 7865 §6.1',
      attributes: {},
      children: [
        ...one('datamode'),
        ...many('group', 'session', 'participant', 'stream', 'sessionrecordingassoc'),
        ...many('participantsessionassoc', 'participantstreamassoc'),
      ],
      open: true,
    },
  ],
  ['datamode', leaf('RFC 7865 §6.1', 'datamode')],
  ['group', { clause: 'RFC 7865 §6.2', attributes: { group_id: required('base64') }, children: times, open: true }],
  [
    'session',
    {
      clause: 'RFC 7865 §6.3',
      attributes: { session_id: required('base64') },
      children: [...many('sipSessionID', 'reason'), ...one('group-ref', 'start-time', 'stop-time')],
      open: true,
    },
  ],
  ['sipSessionID', leaf('RFC 7865 §6.3', 'string')],
  [
    'reason',
    {
      ...leaf('RFC 7865 §6.3', 'string'),
      attributes: { cause: required('short'), protocol: optional('string') },
    },
  ],
  ['group-ref', leaf('RFC 7865 §6.3', 'base64')],
  ...['start-time', 'stop-time', 'associate-time', 'disassociate-time'].map(
    (name) => [name, leaf('RFC 7865 §6.9', 'dateTime')] as const,
  ),
  [
    'sessionrecordingassoc',
    { clause: 'RFC 7865 §6.4', attributes: { session_id: required('base64') }, children: times, open: true },
  ],
  [
    'participant',
    {
      clause: 'RFC 7865 §6.5',
      attributes: { participant_id: required('base64') },
      children: [{ name: 'nameID', min: 1, max: 'many' }],
      open: true,
    },
  ],
  ['nameID', { clause: 'RFC 7865 §6.5', attributes: { aor: required('anyURI') }, children: one('name'), open: false }],
  ['name', spoken('RFC 7865 §6.5')],
  [
    'participantsessionassoc',
    {
      clause: 'RFC 7865 §6.6',
      attributes: { participant_id: required('base64'), session_id: required('base64') },
      children: [...times, ...many('param')],
      open: true,
    },
  ],
  [
    'param',
    {
      clause: 'RFC 7865 §6.6',
      attributes: { pname: required('string'), pval: required('string') },
      children: [],
      open: false,
      text: 'empty',
    },
  ],
  [
    'stream',
    {
      clause: 'RFC 7865 §6.7',
      attributes: { stream_id: required('base64'), session_id: optional('base64') },
      children: one('label'),
      open: true,
    },
  ],
  ['label', leaf('RFC 7865 §6.7', 'string')],
  [
    'participantstreamassoc',
    {
      clause: 'RFC 7865 §6.8',
      attributes: { participant_id: required('base64') },
      children: [...many('send', 'recv'), ...times],
      open: true,
    },
  ],
  ['send', leaf('RFC 7865 §6.8', 'base64')],
  ['recv', leaf('RFC 7865 §6.8', 'base64')],
  ['requestsnapshot', { clause: 'RFC 7865 §7', attributes: {}, children: one('requestreason'), open: true }],
  ['requestreason', spoken('RFC 7865 §7')],
]);

/** The elements that may be a document's root. */
export const metadataRoots: readonly string[] = ['recording', 'requestsnapshot'];
