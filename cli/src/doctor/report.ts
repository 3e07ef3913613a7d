// What a doctor found, for people and for programs. Pure.
import { type CheckName, checkNames, type Result, type State, worst } from './check.js';

const words: Readonly<Record<State, string>> = { ok: 'ok', warn: 'warn', fail: 'FAIL', skipped: '-' };
const colours: Readonly<Record<State, number>> = { ok: 32, warn: 33, fail: 31, skipped: 90 };

/** A line for each finding, what to do below it, and the sum. @param colour with the escape codes of terminals */
export function reportText(results: readonly Result[], colour: boolean): string {
  const lines = merged(inOrder(results)).flatMap(({ state, name, where, what, todo }) => {
    const word = words[state].padEnd(5);
    const shown = colour ? `\x1b[${colours[state]}m${word}\x1b[0m` : word;
    const line = `${shown} ${name.padEnd(13)}${printable(where)}: ${printable(what)}`;
    return todo === undefined ? [line] : [line, `${' '.repeat(19)}→ ${printable(todo)}`];
  });
  return `${lines.join('\n')}\n\n${sumOf(results)}\n`;
}

/** Findings of a check that say the same of several places are one line. */
function merged(results: readonly Result[]): Result[] {
  const lines = new Map<string, Result>();
  for (const result of results) {
    const { name, state, where, what, todo } = result;
    const key = JSON.stringify([name, state, what, todo]);
    const before = lines.get(key);
    lines.set(key, before === undefined ? result : { ...before, where: `${before.where}, ${where}` });
  }
  return [...lines.values()];
}

/** The document of `--json`. */
export function reportJson(file: string, results: readonly Result[]): object {
  return { ok: !results.some(({ state }) => state === 'fail'), config: file, checks: inOrder(results) };
}

/** `14 checks: 10 ok, 2 with warnings, 1 failed, 1 skipped` */
export function sumOf(results: readonly Result[]): string {
  const byCheck = checkNames.map((wanted) => results.filter(({ name }) => name === wanted));
  const states = byCheck.filter((own) => own.length > 0).map((own) => worst(own.map(({ state }) => state)));
  const count = (wanted: State) => states.filter((state) => state === wanted).length;
  const parts = [
    ...[`${count('ok')} ok`, `${count('warn')} with warnings`, `${count('fail')} failed`],
    `${count('skipped')} skipped`,
  ];
  return `${states.length} ${states.length === 1 ? 'check' : 'checks'}: ${parts.join(', ')}`;
}

function inOrder(results: readonly Result[]): Result[] {
  const place = new Map<CheckName, number>(checkNames.map((name, index) => [name, index]));
  return [...results].sort((a, b) => (place.get(a.name) ?? 0) - (place.get(b.name) ?? 0));
}

/** What others say of themselves goes to a terminal: nothing of it may be a command to that. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '?');
}
