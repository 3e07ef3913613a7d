// What a party has heard, held against its steps and against what holds in every flow.
import assert from 'node:assert/strict';
import { headerOf, headersOf, isRequest, type LoggedMessage } from './sipp-log.js';
import type { Expected, HearStep, Step } from './steps.js';

/** A party's view of a flow, after its end. */
export interface PartyView {
  readonly name: string;
  readonly host: string;
  readonly messages: readonly LoggedMessage[];
}

/** Every message that the steps name came, as often as they name it, and is like they say; no other came. */
export function checkSteps({ name, messages }: PartyView, steps: readonly Step[]): void {
  const heard = messages.filter(({ which }) => which === 'received');
  const expected = steps.filter((step): step is HearStep => step.does === 'hear');
  const counted = (kinds: readonly string[]) => kinds.filter((kind) => !kind.startsWith('100 ')).sort();
  assert.deepEqual(
    counted(heard.map(({ kind }) => kind)),
    counted(expected.filter(({ again }) => !again).map(({ kind }) => kind)),
    `what the ${name} hears`,
  );
  const seen = new Map<string, number>();
  const copies = new Map<LoggedMessage, number>();
  for (const { kind, expected: wanted, again } of expected) {
    const nth = (seen.get(kind) ?? 0) + (again ? 0 : 1);
    seen.set(kind, nth);
    const message = heard.filter((one) => one.kind === kind)[nth - 1];
    assert.ok(message, `the ${name} hears ${kind}`);
    copies.set(message, (copies.get(message) ?? 0) + 1);
    for (const [header, value] of Object.entries(wanted))
      checkValue(`${name}: ${kind}: ${header}`, message, header, value);
  }
  for (const [message, wanted] of copies)
    assert.ok(message.copies >= wanted, `${name}: ${message.copies} instead of ${wanted} copies of ${message.kind}`);
}

function checkValue(what: string, message: LoggedMessage, header: string, wanted: Expected[string]): void {
  const values = header === 'body' ? [message.body] : (special(message, header) ?? headersOf(message, header));
  const text = `${what} in\n${message.text}`;
  if (wanted === null) assert.deepEqual(values, [], text);
  else if (typeof wanted === 'string') assert.deepEqual(values, [wanted], text);
  else
    assert.ok(
      values.some((value) => wanted.test(value)),
      `${String(wanted)} is not ${text}`,
    );
}

function special({ startLine }: LoggedMessage, name: string): string[] | undefined {
  if (name === 'uri') return [startLine.split(' ')[1] ?? ''];
  return name === 'phrase' ? [startLine.slice('SIP/2.0 nnn '.length)] : undefined;
}

/** What holds in every flow: well-formed messages of our own, nothing of the other side in them (topology hiding). */
export function checkAlways(views: readonly PartyView[], edge: string): void {
  for (const view of views) {
    const others = views.filter((one) => one !== view);
    const received = view.messages.filter(({ which }) => which === 'received');
    for (const message of received) {
      const at = `${view.name} hears\n${message.text}`;
      for (const other of others) {
        assert.ok(
          !message.text.includes(`${other.host}:`) && !message.text.includes(`@${other.host}`),
          `topology: ${at}`,
        );
        assert.ok(!new RegExp(`IN IP4 ${other.host.replaceAll('.', '\\.')}\\b`).test(message.body), `topology: ${at}`);
        const ours = new Set(other.messages.map((one) => headerOf(one, 'Call-ID')));
        assert.ok(!ours.has(headerOf(message, 'Call-ID')), `Call-ID of the other side: ${at}`);
      }
      assert.equal(headerOf(message, 'Content-Length'), String(message.bodyBytes), at);
      if (isRequest(message)) checkRequest(message, edge, at);
      else checkResponse(message, view.messages, edge, at);
    }
    checkNumbers(view.name, received);
  }
}

function checkRequest(message: LoggedMessage, edge: string, at: string): void {
  const vias = headersOf(message, 'Via');
  assert.equal(vias.length, 1, `one Via: ${at}`);
  assert.match(vias[0] ?? '', new RegExp(`^SIP/2\\.0/(UDP|TCP) ${edge}(:\\d+)?;.*branch=z9hG4bK`), at);
  assert.match(headerOf(message, 'Max-Forwards'), /^([1-6]?\d|70)$/, at);
  assert.match(headerOf(message, 'From'), /;tag=/, at);
  assert.deepEqual(headersOf(message, 'Record-Route'), [], at);
  if (/^(INVITE|UPDATE)$/.test(message.kind))
    assert.match(headerOf(message, 'Contact'), new RegExp(`@?${edge}:\\d+`), at);
}

/** RFC 3261 §8.2.6.2: Via, From, Call-ID and CSeq of the request, and a tag in To. */
function checkResponse(message: LoggedMessage, messages: readonly LoggedMessage[], edge: string, at: string): void {
  const same = (name: string) => (one: LoggedMessage) => headerOf(one, name) === headerOf(message, name);
  const branch = branchOf(message);
  const request = messages.find(
    (one) => one.which === 'sent' && isRequest(one) && same('CSeq')(one) && branchOf(one) === branch,
  );
  assert.ok(request, `answers a request: ${at}`);
  assert.ok(same('Call-ID')(request) && same('From')(request), at);
  assert.deepEqual(headersOf(message, 'Via').length, headersOf(request, 'Via').length, at);
  if (!message.kind.startsWith('100 ')) assert.match(headerOf(message, 'To'), /;tag=/, at);
  if (/^(1(?!00)\d\d|2\d\d) INVITE$/.test(message.kind)) {
    assert.match(headerOf(message, 'Contact'), new RegExp(`@?${edge}:\\d+`), at);
  }
}

function branchOf(message: LoggedMessage): string {
  return /branch=([^;,\s]+)/.exec(headersOf(message, 'Via')[0] ?? headersOf(message, 'v')[0] ?? '')?.[1] ?? '';
}

/** RFC 3261 §12.2.1.1: each new request of a dialog has the next number. */
function checkNumbers(name: string, received: readonly LoggedMessage[]): void {
  const last = new Map<string, number>();
  for (const message of received) {
    if (!isRequest(message) || message.kind === 'ACK' || message.kind === 'CANCEL') continue;
    const dialog = ['Call-ID', 'From', 'To'].map((header) => headerOf(message, header)).join(' ');
    const number = Number.parseInt(headerOf(message, 'CSeq'), 10);
    assert.ok(
      number > (last.get(dialog) ?? -1),
      `CSeq ${number} of ${message.kind} to the ${name} comes after ${last.get(dialog)}`,
    );
    last.set(dialog, number);
  }
}
