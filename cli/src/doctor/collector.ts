// Check `collector`: where traces go takes them. It is sent an export without a span, as the services send theirs.
import { readFileSync } from 'node:fs';
import { type HttpReply, httpExchange, readCollectorHeaders } from '@sidestream/service';
import { adviceFor } from './advice.js';
import { type Check, type Finding, fail, ok, warn } from './check.js';
import type { Examined } from './examined.js';
import { hostOf } from './places.js';
import { reasonOf } from './reason.js';

type Traces = NonNullable<Examined['config']['telemetry']['traces']>;

const where = 'telemetry.traces.endpoint';
const headersKey = 'telemetry.traces.headersFile';

export const collectorCheck: Check = {
  name: 'collector',
  about: 'where traces go can be reached, and takes an export that is empty',
  probes: (examined) => {
    const { traces } = examined.config.telemetry;
    if (traces === undefined) return [];
    return [
      {
        where,
        todo: 'see that a collector listens there for OTLP over HTTP; until then traces are lost, and calls go on',
        run: async (signal) => {
          const unknown = await examined.blamesName(hostOf(traces.endpoint), where);
          return [unknown ?? (await exportNothing(examined, traces, signal))];
        },
      },
    ];
  },
};

async function exportNothing(
  examined: Examined,
  { endpoint, headersFile, caFile }: Traces,
  signal: AbortSignal,
): Promise<Finding> {
  let headers: Record<string, string>;
  try {
    headers = headersFile === undefined ? {} : readCollectorHeaders(headersFile);
  } catch (error) {
    return fail(headersKey, reasonOf(error), "let the services read it, a line of 'Name: value' each: none starts now");
  }
  let authorities: string[] | undefined;
  try {
    authorities = caFile === undefined ? undefined : [readFileSync(caFile, 'utf8')];
  } catch (error) {
    return (
      examined.blames('certificates', where, 'the authorities to trust can’t be read') ??
      fail('telemetry.traces.caFile', reasonOf(error), 'the file must be readable, and PEM')
    );
  }
  try {
    const reply = await httpExchange(endpoint, signal, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: '{"resourceSpans":[]}',
      ...(authorities && { authorities }),
    });
    return judgeCollector(endpoint, reply);
  } catch (error) {
    signal.throwIfAborted();
    return fail(where, reasonOf(error), adviceFor(error, { peer: 'the collector', trust: 'telemetry.traces.caFile' }));
  }
}

/** By the answers of OTLP over HTTP (its specification's section on failures): 200 with an ExportTraceServiceResponse is success. */
export function judgeCollector(endpoint: string, { status, body, ms }: Omit<HttpReply, 'aheadMs'>): Finding {
  if (status === 200 && isResponse(body)) return ok(where, `${endpoint} takes traces, in ${ms} ms`);
  const answers = `${endpoint} answers ${status}`;
  switch (status) {
    case 200:
      return fail(where, `${answers}, and not as a collector does`, 'name the port for OTLP over HTTP, usually 4318');
    case 401:
    case 403:
      return fail(where, `${answers}: it does not take our header fields`, `renew what is in ${headersKey}`);
    case 404:
    case 405:
      return fail(where, `${answers}: it has no traces there`, 'the path is usually /v1/traces');
    case 429:
    case 502:
    case 503:
    case 504:
      return warn(where, `${answers}: it is busy, or what stands behind it is`, 'what it does not take is lost');
    default:
      return fail(
        where,
        answers,
        'ask who runs it what it takes: OTLP over HTTP with JSON is sent, and not redirected',
      );
  }
}

/** Nothing is a response without fields, too. */
function isResponse(body: string): boolean {
  if (body.trim() === '') return true;
  try {
    const read: unknown = JSON.parse(body);
    return typeof read === 'object' && read !== null && !Array.isArray(read);
  } catch {
    return false;
  }
}
