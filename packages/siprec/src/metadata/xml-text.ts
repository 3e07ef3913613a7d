// Foreign text made fit for an XML document. Display names come from strangers' SIP messages.

// XML 1.0 §2.2 has no character for these and no escape either, so they can only be left out or replaced.
// biome-ignore lint/suspicious/noControlCharactersInRegex: naming the control characters is the purpose.
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f]/g;
const nonCharacters = /[\p{Surrogate}\ufffe\uffff]/gu;
const whiteSpace = /[\s\u0085]+/gu;

/**
 * One line of text that any XML parser gives back as it is, in element and attribute alike: control characters removed,
 * lone surrogates and non-characters replaced by U+FFFD, runs of white space (an attribute would lose line breaks anyway)
 * turned into one space, ends trimmed. Right-to-left text and its marks stay. Escaping is the XML writer's.
 */
export function xmlText(text: string): string {
  return text.replace(controls, '').replace(nonCharacters, '\ufffd').replace(whiteSpace, ' ').trim();
}
