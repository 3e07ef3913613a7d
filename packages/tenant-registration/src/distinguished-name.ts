// Distinguished names as a certificate encodes them: what is lost in the text that Node prints (order, kinds, several values).
import { AsnConvert } from '@peculiar/asn1-schema';
import { type AttributeValue, Certificate, Name } from '@peculiar/asn1-x509';

/** One `type=value` of a name. */
export interface NameAttribute {
  /** Dotted object identifier of the type. */
  readonly type: string;
  /** The value, when it is a string of whatever kind. */
  readonly text: string | undefined;
  /** The value as it is encoded (DER), in upper-case hexadecimal. */
  readonly encoded: string;
}

/** The RDNs in the order of the encoding (as a rule the country first), each with its attributes. */
export type DistinguishedName = readonly (readonly NameAttribute[])[];

/** ASN.1 tag of a NumericString, which the library does not count among the strings of a name. */
const numericStringTag = 0x12;

/**
 * The names in a certificate.
 *
 * @param der the certificate, `X509Certificate.raw`.
 * @throws Error when it is no certificate.
 */
export function namesOf(der: Uint8Array): { subject: DistinguishedName; issuer: DistinguishedName } {
  const { tbsCertificate } = AsnConvert.parse(der, Certificate);
  return { subject: toName(tbsCertificate.subject), issuer: toName(tbsCertificate.issuer) };
}

/** Reads a name that stands alone. */
export function parseName(der: Uint8Array): DistinguishedName {
  return toName(AsnConvert.parse(der, Name));
}

function toName(name: Name): DistinguishedName {
  return name.map((rdn) =>
    rdn.map(({ type, value }) => {
      const encoded = Buffer.from(AsnConvert.serialize(value));
      return { type, text: textOf(value, encoded), encoded: encoded.toString('hex').toUpperCase() };
    }),
  );
}

function textOf(value: AttributeValue, encoded: Buffer): string | undefined {
  if (value.anyValue === undefined) return value.toString();
  return encoded[0] === numericStringTag && encoded[1] === encoded.length - 2
    ? encoded.subarray(2).toString('latin1')
    : undefined;
}
