// The command line of `sidestream calls export` and `sidestream calls report`, and how they read times.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { configOption } from '../config-option.js';
import { exportEnded, type RecordsOptions, reportDay } from './ended-calls.js';

/** As help says it. */
export const times = '2026-11-26T12:00:00Z, or so long ago: 30m, 24h, 7d';

const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const personal = '\nNumbers and names of parties are printed: they are personal data.';

interface ExportFlags extends RecordsOptions {
  readonly since?: Date;
  readonly until?: Date;
  readonly format: 'jsonl' | 'csv';
}

interface ReportFlags extends RecordsOptions {
  readonly day?: Date;
  readonly json?: boolean;
}

/** @param done is given the exit code. */
export function addRecordCommands(calls: Command, done: (code: number) => void): void {
  records(calls, 'export', 'print the records of calls that are over, the oldest first')
    .option('--since <time>', `recorded at or after: ${times}`, readTime)
    .option('--until <time>', 'recorded before', readTime)
    .addOption(new Option('--format <format>', 'one line a call').choices(['jsonl', 'csv']).default('jsonl'))
    .addHelpText('after', `\nFields: docs/call-records.md.${personal}`)
    .action(async (flags: ExportFlags) => done(await exportEnded(flags)));
  records(calls, 'report', "how many of a day's calls were recorded, by tenant, and which were not and why")
    .option('--day <date>', 'in UTC, such as 2026-11-26; else today', readDay)
    .option('--json', 'print JSON')
    .action(async ({ day = today(), json = false, ...flags }: ReportFlags) =>
      done(await reportDay({ ...flags, day, json })),
    );
}

/** @throws InvalidArgumentError: a wrong command line */
export function readTime(text: string): Date {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const ago = Number(count) * (unitsMs[unit ?? ''] ?? Number.NaN);
  const time = Number.isNaN(ago) ? readIso(text) : new Date(Date.now() - ago);
  if (time === undefined) throw new InvalidArgumentError(`It must be a time: ${times}.`);
  return time;
}

/** @throws InvalidArgumentError */
export function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 10_000)
    throw new InvalidArgumentError('It must be a whole number from 1 to 10000.');
  return count;
}

function readDay(text: string): Date {
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? readIso(`${text}T00:00:00Z`) : undefined;
  // Date takes the 31st of February for the 3rd of March.
  if (day?.toISOString().slice(0, 10) !== text) throw new InvalidArgumentError('It must be a day, such as 2026-11-26.');
  return day;
}

function readIso(text: string): Date | undefined {
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return undefined;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function today(): Date {
  return new Date(new Date().toISOString().slice(0, 10));
}

function records(calls: Command, name: string, description: string): Command {
  return calls
    .command(name)
    .description(description)
    .addOption(configOption())
    .option('-t, --tenant <name>', 'of this tenant only');
}
