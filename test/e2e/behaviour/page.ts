// docs/recorder-behaviour.md, written from the table that the tests prove.
import { describeOutcome } from './outcome.js';
import type { Row } from './row.js';
import { groups } from './rows.js';

/** The page. */
export function behaviourPage(): string {
  const sections = groups.flatMap(({ title, rows }) => ['', `## The recorder ${title}`, '', ...table(rows)]);
  const pending = groups.some(({ rows }) => rows.some((row) => row.pending !== undefined));
  return `${[...head, ...(pending ? toCome : []), ...sections].join('\n')}\n`;
}

/** The lines of a table, its columns aligned as the formatter wants them. */
function table(rows: readonly Row[]): string[] {
  const cells = [
    ['The recorder …', 'The call', 'The recording …'],
    ...rows.map(({ name, outcome, gapMs, pending }) => {
      const said = describeOutcome(outcome, gapMs);
      return [name, 'undisturbed', pending === undefined ? said : `${said} (to come: ${pending})`];
    }),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [titles = '', ...lines] = cells.map(line);
  return [titles, line(widths.map((width) => '-'.repeat(width))), ...lines];
}

const head = [
  '# What a recorder may do, and what becomes of the call and the recording',
  '',
  'Generated from `test/e2e/behaviour/rows.ts`, whose every line is a test with two real parties, real rtpengine and a real (simulated)',
  'recorder over TLS; the tests fail when this page differs. After a change of the table: `SIDESTREAM_WRITE_DOCS=1 node ../tools/run-tests.mjs',
  'recorder-behaviour` in `test/`.',
  '',
  'In every line both parties hear each other without a lost packet until somebody hangs up, every packet at a recorder authenticates, none',
  'is in clear, none is missing between the first and the last, and the recorders find nothing wrong. The recording has its voices',
  'unchanged, or in the one codec that the recorder takes, until the end; one that goes on is compared at the recorder that it ends at, and',
  'its gap is that of the voice that was missing longer. Two seconds after the end (eight, where a dead recorder does not answer the BYE) no',
  'dialog, fork or media session is left. Unless the line says otherwise the tenant has a second, well behaved recorder in its list.',
];

const toCome = ['', 'A line marked "to come" is what has to happen; its test is skipped and says why.'];
