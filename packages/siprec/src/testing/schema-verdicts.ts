// Which of many documents the schema of RFC 7865 takes, in one run of libxml2. For tests only.
import { validateXML } from 'xmllint-wasm';
import { packageFile } from './package-file.js';

/** One verdict per document, in their order. */
export async function schemaVerdicts(documents: readonly string[]): Promise<boolean[]> {
  const { errors, rawOutput } = await validateXML({
    xml: documents.map((contents, index) => ({ fileName: `document-${index}.xml`, contents })),
    schema: [{ fileName: 'rs-metadata.xsd', contents: packageFile('schema/rs-metadata.xsd') }],
    preload: [{ fileName: 'xml.xsd', contents: packageFile('schema/xml.xsd') }],
  });
  const told = `${rawOutput}\n${errors.map(({ rawMessage }) => rawMessage).join('\n')}`;
  return documents.map((_, index) => new RegExp(`^document-${index}\\.xml validates$`, 'm').test(told));
}
