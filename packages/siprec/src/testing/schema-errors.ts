// Validation against the grammar of RFC 7865 by libxml2, which shares no code with the writer. For tests only.
import { validateXML } from 'xmllint-wasm';
import { packageFile } from './package-file.js';

/** What the schema has against these documents; empty when all are valid. */
export async function schemaErrors(...documents: string[]): Promise<string[]> {
  const { valid, errors } = await validateXML({
    xml: documents.map((contents, index) => ({ fileName: `document-${index}.xml`, contents })),
    schema: [{ fileName: 'rs-metadata.xsd', contents: packageFile('schema/rs-metadata.xsd') }],
    preload: [{ fileName: 'xml.xsd', contents: packageFile('schema/xml.xsd') }],
  });
  return valid ? [] : errors.map(({ rawMessage }) => rawMessage);
}
