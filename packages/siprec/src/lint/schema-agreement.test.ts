// The lint's grammar against a real validator: libxml2 with our schema of RFC 7865. Whatever it refuses has an error of the lint, and
// what it takes has none that is about form.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseXml, type XmlElement } from '../metadata/xml-element.js';
import { packageFile } from '../testing/package-file.js';
import { schemaVerdicts } from '../testing/schema-verdicts.js';
import type { LintFindingName } from './finding.js';
import { lint } from './lint.js';

const formal: ReadonlySet<LintFindingName> = new Set([
  'not-readable',
  'metadata-malformed',
  'metadata-namespace',
  'metadata-element-unknown',
  'metadata-element-order',
  'metadata-element-repeated',
  'metadata-element-missing',
  'metadata-attribute-unknown',
  'metadata-attribute-missing',
  'metadata-text',
  'metadata-value',
]);

/** A document that can be changed at every place. */
interface Node {
  name: string;
  attributes: [name: string, value: string][];
  text: string;
  children: Node[];
}

const namespace = 'urn:ietf:params:xml:ns:recording:1';
const everything = `<recording xmlns="${namespace}" xmlns:x="urn:example:x"><datamode>complete</datamode>
<group group_id="AAAAAAAAQACAAAAAAAAABg=="><associate-time>2026-03-02T09:15:00Z</associate-time><x:note>n</x:note></group>
<session session_id="AAAAAAAAQACAAAAAAAAAAQ=="><sipSessionID>a;remote=b</sipSessionID><reason cause="486" protocol="SIP">Busy</reason>
<group-ref>AAAAAAAAQACAAAAAAAAABg==</group-ref><start-time>2026-03-02T09:15:00+01:00</start-time><stop-time>2026-03-02T09:16:00Z</stop-time></session>
<participant participant_id="AAAAAAAAQACAAAAAAAAAAg=="><nameID aor="sip:a@b.example"><name xml:lang="de">A</name></nameID><nameID aor="tel:+1"/></participant>
<stream stream_id="AAAAAAAAQACAAAAAAAAABA==" session_id="AAAAAAAAQACAAAAAAAAAAQ=="><label>1</label><x:y/></stream>
<sessionrecordingassoc session_id="AAAAAAAAQACAAAAAAAAAAQ=="/>
<participantsessionassoc participant_id="AAAAAAAAQACAAAAAAAAAAg==" session_id="AAAAAAAAQACAAAAAAAAAAQ=="><disassociate-time>2026-03-02T09:15:00Z</disassociate-time><param pname="a" pval="b"/></participantsessionassoc>
<participantstreamassoc participant_id="AAAAAAAAQACAAAAAAAAAAg=="><send>AAAAAAAAQACAAAAAAAAABA==</send><recv/></participantstreamassoc>
<x:more><x:deep/></x:more></recording>`;
const snapshot = `<requestsnapshot xmlns="${namespace}"><requestreason xml:lang="it">perso</requestreason></requestsnapshot>`;
const documents = [
  everything,
  snapshot,
  packageFile('golden/metadata-complete.xml'),
  packageFile('golden/metadata-bye.xml'),
];

const names =
  'recording datamode dataMode group session participant nameID name stream label send recv param reason x:y mode'
    .split(' ')
    .concat(
      'group-ref start-time stop-time associate-time participantstreamassoc requestsnapshot extensiondata'.split(' '),
    );
const attributeNames =
  'id session session_id participant_id stream_id aor cause pname xml:lang x:session_id xmlns'.split(' ');
const values = [
  ...['', ' ', 'x', 'AAAA', 'AAA', 'AA==', 'AB==', 'AAA=', 'AAB=', 'A===', '====', 'A A A A', ' AAAA ', 'AA==AAAA'],
  ...['AAAAAAAAQACAAAAAAAAAAQ==', 'AAAAAAAAQACAAAAAAAAAAg', '59dfe9ba-d5a0-4d60-96db-3d652390dbf7', '-_AA'],
  ...[
    '2026-03-02T09:15:00',
    '2026-03-02t09:15:00z',
    '2026-02-29T00:00:00Z',
    '2024-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
  ],
  ...[
    '2026-03-02T24:00:00Z',
    '2026-03-02T24:00:01Z',
    '2026-03-02T09:60:00Z',
    '2026-03-02T09:15:60Z',
    '2026-03-02T09:15Z',
  ],
  ...[
    '2026-03-02T09:15:00+14:00',
    '2026-03-02T09:15:00+14:01',
    '2026-03-02T09:15:00.5-05:00',
    ' 2026-03-02T09:15:00Z ',
  ],
  ...[
    '12026-03-02T09:15:00Z',
    '-2026-03-02T09:15:00Z',
    '0000-03-02T09:15:00Z',
    '02026-03-02T09:15:00Z',
    '2026-03-02 09:15:00Z',
  ],
  ...['486', '+5', '-32768', '32768', '-32769', '1.0', ' 5 ', '0x1', '007', '--1'],
  ...[
    'sip:a@b',
    'tel:+1',
    'a b',
    '%zz',
    '%41',
    '1:2',
    'a/b:c',
    '#a',
    '#a#b',
    'é',
    'a"b',
    'a<b',
    'a&b',
    'EE5C7EF0',
    'sip:[::1]',
  ],
  ...['complete', 'Complete', ' complete', 'partial', 'complete\n', 'urn:example:x', namespace],
];

/** A change of a document; numbers choose the places. */
const change = fc.record({
  kind: fc.constantFrom('drop', 'repeat', 'swap', 'rename', 'move', 'set', 'unset', 'text', 'extend'),
  where: fc.nat(1000),
  other: fc.nat(1000),
  name: fc.constantFrom(...names),
  attribute: fc.constantFrom(...attributeNames),
  value: fc.constantFrom(...values),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function read({ qualifiedName, writtenAttributes, text, children }: XmlElement): Node {
  return { name: qualifiedName, attributes: [...writtenAttributes], text: text.trim(), children: children.map(read) };
}

function everyNode(node: Node): Node[] {
  return [node, ...node.children.flatMap(everyNode)];
}

function write({ name, attributes, text, children }: Node): string {
  const written = attributes.map(([key, value]) => ` ${key}="${escaped(value)}"`).join('');
  return `<${name}${written}>${escaped(text)}${children.map(write).join('')}</${name}>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function apply(root: Node, { kind, where, other, name, attribute, value }: Change): void {
  const nodes = everyNode(root);
  const node = nodes[where % nodes.length] ?? root;
  const at = other % Math.max(1, node.children.length);
  const attributeAt = other % Math.max(1, node.attributes.length);
  switch (kind) {
    case 'drop':
      node.children.splice(at, 1);
      return;
    case 'repeat':
      node.children.splice(at, 0, ...node.children.slice(at, at + 1));
      return;
    case 'swap':
      node.children.splice(at, 2, ...node.children.slice(at, at + 2).reverse());
      return;
    case 'move': {
      const [moved] = nodes[other % nodes.length]?.children.splice(0, 1) ?? [];
      if (moved !== undefined && !everyNode(moved).includes(node)) node.children.push(moved);
      return;
    }
    case 'rename':
      node.name = name;
      return;
    case 'set': {
      const known = node.attributes[attributeAt];
      if (known !== undefined && other % 2 === 0 && !known[0].startsWith('xmlns')) known[1] = value;
      else if (!node.attributes.some(([key]) => key === attribute)) {
        // libxml2 has views of its own on namespaces that are no URI.
        const namespaces = ['', namespace, 'urn:example:x'];
        node.attributes.push([attribute, attribute === 'xmlns' ? (namespaces[other % 3] ?? '') : value]);
      }
      return;
    }
    case 'unset':
      if (!node.attributes[attributeAt]?.[0].startsWith('xmlns')) node.attributes.splice(attributeAt, 1);
      return;
    case 'text':
      node.text = value;
      return;
    case 'extend':
      node.children.splice(at, 0, { name, attributes: [], text: '', children: [] });
      return;
    default:
      assert.fail(String(kind satisfies never));
  }
}

/** Asserts that both say the same of each document; gives the number of valid ones. */
async function assertAgreement(texts: readonly string[]): Promise<number> {
  const verdicts = await schemaVerdicts(texts);
  const disagreements = texts.flatMap((text, index) => {
    const { findings } = lint(Buffer.from(text));
    const faults = findings.filter(({ name, severity }) => severity === 'error' && formal.has(name));
    const valid = verdicts[index];
    return (faults.length === 0) === valid ? [] : [{ valid, faults: faults.map((each) => each.text), text }];
  });
  assert.deepEqual(disagreements.slice(0, 3), []);
  return verdicts.filter(Boolean).length;
}

test('RFC 7865 §9: lint and validator agree on what they are given', async () => {
  assert.equal(await assertAgreement(documents), documents.length);
});

test('RFC 7865 §9: lint and validator agree on every value at every place', async () => {
  const texts: string[] = [];
  for (const place of everyNode(read(parseXml(everything))).keys()) {
    for (const value of values) {
      const [inText, inAttribute] = [read(parseXml(everything)), read(parseXml(everything))];
      const node = everyNode(inText)[place];
      const attribute = everyNode(inAttribute)[place]?.attributes.find(([name]) => !name.startsWith('xml'));
      if (node !== undefined) node.text = value;
      texts.push(write(inText));
      if (attribute === undefined) continue;
      attribute[1] = value;
      texts.push(write(inAttribute));
    }
  }
  for (let at = 0; at < texts.length; at += 500) await assertAgreement(texts.slice(at, at + 500));
});

test('RFC 7865 §9: lint and validator agree, whatever is changed in a document', async () => {
  const changed = fc.tuple(fc.constantFrom(...documents), fc.array(change, { minLength: 1, maxLength: 4 }));
  let valid = 0;
  const property = fc.asyncProperty(fc.array(changed, { minLength: 150, maxLength: 150 }), async (batch) => {
    const texts = batch.map(([text, changes]) => {
      const root = read(parseXml(text));
      for (const each of changes) apply(root, each);
      // Prefixes are declared by the root, whatever it became.
      if (!root.attributes.some(([name]) => name === 'xmlns:x')) root.attributes.push(['xmlns:x', 'urn:example:x']);
      return `<?xml version="1.0" encoding="UTF-8"?>${write(root)}`;
    });
    valid += await assertAgreement(texts);
  });
  await fc.assert(property, { numRuns: 8, endOnFailure: true });
  assert.ok(valid > 50, `only ${valid} documents stayed valid`);
});

test('XML 1.0: what is not well-formed is an error of both', async () => {
  const broken = [
    '',
    '<recording>',
    `<recording xmlns="${namespace}">&nbsp;</recording>`,
    `<recording xmlns="${namespace}">&#0;</recording>`,
    `<recording xmlns="${namespace}"><x:y/></recording>`,
    `<recording xmlns="${namespace}"><session session_id="<"/></recording>`,
    `<recording xmlns="${namespace}"><session session_id="a" session_id="a"/></recording>`,
    `<recording xmlns="${namespace}">]]></recording>`,
    `<recording xmlns="${namespace}">\u0001</recording>`,
    `<recording xmlns="${namespace}"/>x`,
    `<recording xmlns="${namespace}"/><recording/>`,
    ` <?xml version="1.0"?><recording xmlns="${namespace}"/>`,
    `<recording xmlns="${namespace}"><group group_id=AAAA/></recording>`,
  ];
  for (const text of broken) assert.deepEqual([text, ...(await schemaVerdicts([text]))], [text, false]);
  await assertAgreement(broken);
});
