// Positions: which line and column of the file an offset is, also inside a part that is read as a text of its own.
import type { Place, Position } from './finding.js';

/** Position of a byte in a file of UTF-8 text. */
export function positionIn(bytes: Buffer, offset: number): Position {
  let line = 1;
  let start = 0;
  for (let at = bytes.indexOf(0x0a); at !== -1 && at < offset; at = bytes.indexOf(0x0a, start)) {
    line += 1;
    start = at + 1;
  }
  return { line, column: bytes.toString('utf8', start, offset).length + 1 };
}

/** A text that stands somewhere in a file. */
export class Source {
  readonly text: string;
  readonly #begin: Position;
  readonly #lineStarts: readonly number[];

  constructor(text: string, begin: Position = { line: 1, column: 1 }) {
    this.text = text;
    this.#begin = begin;
    this.#lineStarts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  }

  /** The place of a character of the text. */
  at(index: number, path: string): Place {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lineStarts[middle] ?? 0) <= index) low = middle;
      else high = middle - 1;
    }
    return this.atLine({ line: low + 1, column: index - (this.#lineStarts[low] ?? 0) + 1 }, path);
  }

  /** The place of a line and column of the text. */
  atLine({ line, column }: Position, path: string): Place {
    const begin = this.#begin;
    return { line: begin.line + line - 1, column: line === 1 ? begin.column + column - 1 : column, path };
  }
}
