// `sidestream calls list --ended`, `show` of a call that is over, `export` and `report`: reads the records that signalling has published.
import { CallRecord } from '@sidestream/proto/records/v1';
import { type RecordQuery, readRecords, type SidestreamConfig, SidestreamError } from '@sidestream/service';
import { answered, say } from '../answered.js';
import { withNats } from '../control-plane.js';
import { csvHead, csvLine, describeRecord, recordsTable } from './ended-calls-text.js';
import { dayFigures, figuresTable } from './recording-figures.js';

export interface RecordsOptions {
  /** sidestream.yaml. */
  readonly config: string;
  /** Of this tenant only. */
  readonly tenant?: string | undefined;
}

export interface ListEndedOptions extends RecordsOptions {
  readonly since: Date;
  readonly limit: number;
  readonly json: boolean;
}

export interface ExportOptions extends RecordsOptions {
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  readonly format: 'jsonl' | 'csv';
}

/** The newest first. */
export function listEnded(options: ListEndedOptions): Promise<number> {
  const { config, since, limit, json } = options;
  return answered(config, (read) =>
    withNats(read, async (session) => {
      let newest: CallRecord[] = [];
      for await (const record of readRecords(session, queryOf(read, options, { since })))
        newest = [...newest, record].slice(-limit);
      const records = newest.reverse();
      if (json) say(JSON.stringify({ calls: records.map(plain) }, null, 2));
      else {
        if (records.length > 0) say(recordsTable(records));
        say(`${records.length} ended calls since ${since.toISOString()}`);
      }
      return 0;
    }),
  );
}

/** @throws SidestreamError `not-found` */
export async function showEnded(config: SidestreamConfig, callId: string, json: boolean): Promise<number> {
  return withNats(config, async (session) => {
    for await (const record of readRecords(session, { callId })) {
      say(json ? JSON.stringify(plain(record), null, 2) : describeRecord(record));
      return 0;
    }
    throw new SidestreamError('not-found', `no live call ${callId}, and no record of one that is over`);
  });
}

/** The oldest first, one a line. */
export function exportEnded(options: ExportOptions): Promise<number> {
  const { config, format, since, until } = options;
  return answered(config, (read) =>
    withNats(read, async (session) => {
      if (format === 'csv') say(csvHead);
      for await (const record of readRecords(session, queryOf(read, options, { since, until })))
        say(format === 'csv' ? csvLine(record) : JSON.stringify(plain(record)));
      return 0;
    }),
  );
}

/** What became of the calls that ended on this day (UTC), by tenant. */
export function reportDay(options: RecordsOptions & { readonly day: Date; readonly json: boolean }): Promise<number> {
  const { config, day, json } = options;
  return answered(config, (read) =>
    withNats(read, async (session) => {
      const until = new Date(day.getTime() + 86_400_000);
      const figures = await dayFigures(readRecords(session, queryOf(read, options, { since: day, until })));
      const on = day.toISOString().slice(0, 10);
      if (json) say(JSON.stringify({ day: on, tenants: figures }, null, 2));
      else say(figures.length === 0 ? `no call ended on ${on}` : figuresTable(figures));
      return 0;
    }),
  );
}

function queryOf(config: SidestreamConfig, { tenant }: RecordsOptions, query: RecordQuery): RecordQuery {
  if (tenant === undefined) return query;
  if (Object.hasOwn(config.tenants, tenant)) return { ...query, tenant };
  const known = Object.keys(config.tenants).join(', ');
  throw new SidestreamError('bad-request', `no tenant '${tenant}': one of ${known}`);
}

function plain(record: CallRecord): unknown {
  return CallRecord.toJSON(record);
}
