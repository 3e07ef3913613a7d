// One process traces once, so that this is one story: a collector that is there, that refuses, and that is there again.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { createLogger } from '../log.js';
import { setCallSpan, takeCallSpan } from './call-spans.js';
import { beginTrace, endSpan, inSpan, remoteSpan, type Span, startSpan, traceHeaders } from './spans.js';
import { startTracing } from './start-tracing.js';

interface Sent {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code?: number };
}

test('spans reach the collector with its header fields; one that refuses them costs spans and one line', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sidestream-tracing-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const headersFile = join(directory, 'headers');
  const lines: string[] = [];
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const log = createLogger({ name: 'test', instance: 'one', level: 'info', destination });
  const metrics = new Registry();
  const got: { readonly headers: IncomingHttpHeaders; readonly spans: readonly Sent[] }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(String(Buffer.concat(chunks)));
      got.push({ headers: request.headers, spans: resourceSpans[0].scopeSpans[0].spans });
      response.writeHead(got.length === 1 ? 400 : 200).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
  const options = { service: 'signalling', instance: 's1', log, metrics };

  writeFileSync(headersFile, 'Authorization: Bearer not-for-the-log\nand this is none\n');
  const broken = startTracing({ ...options, config: { endpoint, sampleRatio: 1, headersFile } });
  await assert.rejects(broken, (error: Error) => {
    assert.equal(error.message, "telemetry.traces.headersFile: line 2 is not 'Name: value'");
    return true;
  });

  // Before there is tracing there are no spans.
  assert.equal(beginTrace('nothing'), undefined);
  writeFileSync(headersFile, '\nAuthorization: Bearer not-for-the-log\nx-tenant:contoso\n');
  const tracing = await startTracing({ ...options, config: { endpoint, sampleRatio: 1, headersFile } });
  assert.deepEqual(traceHeaders(undefined), {});

  endSpan(beginTrace('lost'));
  const counts = async () =>
    (await metrics.getSingleMetric('sidestream_spans_total')?.get())?.values.map(({ value, labels }) => [
      labels['outcome'],
      value,
    ]);
  while ((await counts())?.[1]?.[1] === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(await counts(), [
    ['exported', 0],
    ['failed', 1],
    ['dropped', 0],
  ]);
  assert.equal(lines.filter((line) => line.includes('can not be sent to the collector')).length, 1);

  writeFileSync(headersFile, 'Authorization: Bearer a-new-one\nx-tenant:contoso\n');
  const call = beginTrace('call', { kind: 'server', attributes: { 'sip.call_id': 'x' } }) ?? assert.fail();
  setCallSpan('c1', call);
  await assert.rejects(
    inSpan('fails', call, {}, () => Promise.reject(new Error('+4930123456'))),
    /\+4930123456/,
  );
  log.info({ call: 'c1' }, 'names the call');
  log.child({ call: 'c1', recording: 'r1' }).info('is of the call');
  log.info({ session: 'c1' }, 'names its media session');
  log.info({ call: 'c2' }, 'names another one');
  log.info('names none');
  takeCallSpan('c1');
  log.info({ call: 'c1' }, 'comes afterwards');
  endSpan(startSpan('far away', remoteSpan(traceHeaders(call)['traceparent']), { kind: 'server' }));
  const unsampled = `${traceHeaders(call)['traceparent']?.slice(0, -2)}00`;
  const none = [undefined, 'garbage', unsampled].map(remoteSpan);
  assert.deepEqual(none, [undefined, undefined, undefined]);
  assert.equal(await inSpan('no parent', undefined, {}, async (span: Span | undefined) => span), undefined);
  endSpan(call);
  await tracing.stop();

  assert.equal(got[0]?.headers['authorization'], 'Bearer not-for-the-log');
  const [, { headers = {}, spans = [] } = {}] = got;
  assert.equal(headers['authorization'], 'Bearer a-new-one');
  assert.equal(headers['x-tenant'], 'contoso');
  const [fails, far, whole] = ['fails', 'far away', 'call'].map((name) => spans.find((span) => span.name === name));
  assert.deepEqual(
    [fails?.traceId, far?.traceId, fails?.parentSpanId, far?.parentSpanId],
    [whole?.traceId, whole?.traceId, whole?.spanId, whole?.spanId],
  );
  assert.deepEqual([fails?.status.code, spans.length], [2, 3]);
  assert.ok(!JSON.stringify(spans).includes('4930123456'), 'the text of an error may name a party');
  const named = lines.filter((line) => line.includes(`"trace_id":"${whole?.traceId}","span_id":"${whole?.spanId}"`));
  assert.deepEqual(
    named.map((line) => JSON.parse(line).msg),
    ['names the call', 'is of the call', 'names its media session'],
  );
  assert.ok(!/not-for-the-log|a-new-one/.test(lines.join('')));
  assert.equal(lines.filter((line) => line.includes('can be sent to the collector again')).length, 1);
});
