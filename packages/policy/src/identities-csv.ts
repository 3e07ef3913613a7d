// Identities as CSV, as spreadsheets write it: comma, semicolon or tab, whichever the head line has, quotes where needed. A row is
// one line, so that a stray quotation mark spoils one row and not the rest of the file.
import Papa from 'papaparse';
import type { IdentityRows } from './identity-row.js';
import { PolicyError } from './policy-error.js';

type Column = 'user' | 'numbers' | 'addresses' | 'ignored';

/** A column may come several times. Any other name is a problem: a misspelt one would leave sellers out. */
const columnOf = new Map<string, Column>([
  ['user', 'user'],
  ['number', 'numbers'],
  ['numbers', 'numbers'],
  ['address', 'addresses'],
  ['addresses', 'addresses'],
  ['name', 'ignored'],
  ['comment', 'ignored'],
]);

const maxLineChars = 64 * 1024;

/**
 * The rows of a CSV text. A cell may hold several values, divided by `|`.
 * @throws PolicyError when the head line does not name the user and what names it
 */
export function identitiesFromCsv(text: string, rows: IdentityRows, source: string): void {
  let head: Head | undefined;
  for (const [line, content] of linesOf(text)) {
    if (content.trim() === '') continue;
    const path = `line ${line}`;
    if (head === undefined) {
      head = headOf(content, path, source);
      for (const unknown of head.unknown) rows.problem(path, `there is no column ${JSON.stringify(unknown)}`);
    } else addRow(content, head, path, rows);
  }
  if (head === undefined) throw new PolicyError(source, [{ path: '', message: 'there is no head line' }]);
}

interface Head {
  readonly delimiter: string;
  readonly columns: readonly Column[];
  readonly unknown: readonly string[];
}

function headOf(line: string, path: string, source: string): Head {
  const delimiter = /[,;\t]/.exec(line)?.[0] ?? ',';
  const names = (cellsOf(line, delimiter) ?? []).map((name) => name.toLowerCase());
  const columns = names.map((name) => columnOf.get(name) ?? 'ignored');
  if (
    columns.filter((column) => column === 'user').length !== 1 ||
    !columns.some((c) => c === 'numbers' || c === 'addresses')
  ) {
    const message = 'the head line needs one column "user", and "numbers" or "addresses"';
    throw new PolicyError(source, [{ path, message }]);
  }
  return { delimiter, columns, unknown: names.filter((name) => name !== '' && !columnOf.has(name)) };
}

function addRow(line: string, { delimiter, columns }: Head, path: string, rows: IdentityRows): void {
  const cells = line.length > maxLineChars ? [] : cellsOf(line, delimiter);
  const values = (wanted: Column) =>
    (cells ?? [])
      .flatMap((cell, index) => (columns[index] === wanted ? cell.split('|') : []))
      .flatMap((value) => value.trim() || []);
  const [user, ...others] = values('user');
  if (line.length > maxLineChars) rows.problem(path, `more than ${maxLineChars} characters`);
  else if (cells === undefined) rows.problem(path, 'a quotation mark has no end, or something stands after it');
  else if (cells.slice(columns.length).some((cell) => cell !== '')) {
    rows.problem(path, `${cells.length} cells where the head line has ${columns.length}`);
  } else if (user === undefined || others.length > 0) rows.problem(path, 'must name one user');
  else rows.row({ path, user, numbers: values('numbers'), addresses: values('addresses') });
}

/** The trimmed cells of a line; undefined when its quotes are wrong. */
function cellsOf(line: string, delimiter: string): string[] | undefined {
  const trimmed = (cells: readonly string[]) => cells.map((cell) => cell.trim());
  // RFC 4180 §2: without a quotation mark there is nothing to parse, and most files have none.
  if (!line.includes('"')) return trimmed(line.split(delimiter));
  const { data, errors } = Papa.parse<string[]>(line, { delimiter });
  return errors.length > 0 || data.length !== 1 ? undefined : trimmed(data[0] ?? []);
}

/** The lines with their numbers, from 1, without building a list of all. */
function* linesOf(text: string): Generator<[line: number, content: string]> {
  const lineEnd = /\r\n|\n|\r|$/g;
  let from = text.startsWith('\ufeff') ? 1 : 0;
  for (let line = 1; from <= text.length; line += 1) {
    lineEnd.lastIndex = from;
    const end = lineEnd.exec(text);
    if (end === null) return;
    yield [line, text.slice(from, end.index)];
    if (end[0] === '') return;
    from = end.index + end[0].length;
  }
}
