import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { indicationOf, isRecordAware, LegDescriptions, sameMedia, withIndication } from './recording-awareness.js';

const sdp = (version: number, ...more: string[]) =>
  [
    'v=0',
    `o=- 7 ${version} IN IP4 192.0.2.1`,
    's=-',
    't=0 0',
    'm=audio 4000 RTP/AVP 0',
    'a=sendrecv',
    ...more,
    '',
  ].join('\r\n');

test('RFC 7866 §11.1.2: the option tag is found in any place of Supported and in any case', () => {
  for (const value of ['record-aware', '100rel, Record-Aware', 'timer,record-aware ,replaces'])
    assert.ok(isRecordAware(value), value);
  for (const value of [undefined, '', 'timer', 'record-aware-not', 'x record-aware']) assert.ok(!isRecordAware(value));
});

test('what several recordings mean: one that records counts, then one that is paused', () => {
  assert.equal(indicationOf([]), 'off');
  assert.equal(indicationOf(['ended', 'inviting']), 'off');
  assert.equal(indicationOf(['paused', 'ended']), 'paused');
  assert.equal(indicationOf(['paused', 'active']), 'on');
});

test('RFC 7866 §6.2: a=record stands in every media section and nowhere else, in the place of an older one', () => {
  const video = ['m=video 0 RTP/AVP 96', 'a=inactive'];
  assert.equal(
    withIndication(sdp(1, ...video), 'on'),
    sdp(1, 'a=record:on', ...video, 'a=record:on').replaceAll('\r\n\r\n', '\r\n'),
  );
  assert.equal(withIndication(withIndication(sdp(1), 'off'), 'paused'), sdp(1, 'a=record:paused'));
});

test('what the other side records by itself is not denied', () => {
  assert.equal(withIndication(sdp(1, 'a=record:on'), 'off'), sdp(1, 'a=record:on'));
  assert.equal(withIndication(sdp(1, 'a=record:paused'), 'on'), sdp(1, 'a=record:on'));
  assert.equal(withIndication(sdp(1, 'a=record:off'), 'off'), sdp(1, 'a=record:off'));
});

test('a leg that is not aware gets every description as it is', () => {
  const leg = new LegDescriptions(false);
  assert.equal(leg.describe(sdp(1), 'on'), sdp(1));
  assert.ok(!leg.owes('on'));
});

test('RFC 3264 §8: the version goes up with every change that the leg sees, and only then', () => {
  const leg = new LegDescriptions(true);
  assert.ok(!leg.owes('off'));
  assert.equal(leg.describe(sdp(5), 'off'), sdp(5, 'a=record:off'));
  assert.ok(leg.owes('on'));
  assert.equal(leg.describe(sdp(5), 'on'), sdp(6, 'a=record:on'));
  assert.equal(leg.describe(sdp(5), 'on'), sdp(6, 'a=record:on'));
  assert.ok(!leg.owes('on'));
  assert.equal(leg.describe(sdp(6, 'a=ptime:20'), 'on'), sdp(7, 'a=ptime:20', 'a=record:on'));
  assert.equal(leg.describe(sdp(20, 'a=ptime:20'), 'on'), sdp(7, 'a=ptime:20', 'a=record:on'));
  leg.forget();
  assert.ok(leg.owes('on'));
});

test('a leg that turns out to be aware only by its answer hears of it in the next version', () => {
  const leg = new LegDescriptions(true, sdp(5));
  assert.equal(leg.describe(sdp(5), 'on'), sdp(6, 'a=record:on'));
});

test('RFC 3264 §8: a leg that goes over to another media session hears of the same session, each time one version higher', () => {
  const other = (version: number) => sdp(version).replace(/^o=.*$/m, `o=- 99 ${version} IN IP4 198.51.100.9`);
  for (const aware of [false, true]) {
    const before = new LegDescriptions(aware);
    const mark = (text: string, indication: 'on' | 'off') => (aware ? withIndication(text, indication) : text);
    assert.equal(before.describe(sdp(5), 'off'), mark(sdp(5), 'off'));
    const carried = before.carried(sdp(5));
    assert.equal(
      carried.describe(other(1), 'on'),
      aware ? mark(sdp(6), 'on') : sdp(5),
      'nothing but the origin differs',
    );
    const held = 'a=sendonly';
    const again = carried.carried(other(1));
    assert.equal(again.describe(`${other(40)}${held}\r\n`, 'on'), mark(`${sdp(aware ? 7 : 6)}${held}\r\n`, 'on'));
  }
});

test('a new version, what is said of recording, and a codec less are no change of media; a place or a direction is', () => {
  assert.ok(sameMedia(sdp(1), sdp(2, 'a=record:on', 'a=recordpref:off')));
  assert.ok(sameMedia(sdp(1).replace('AVP 0', 'AVP 0 8'), sdp(1)));
  assert.ok(!sameMedia(sdp(1), sdp(1).replace('4000', '4002')));
  assert.ok(!sameMedia(sdp(1), sdp(1).replace('sendrecv', 'inactive')));
});

test('any text is marked without a throw, once', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('m=audio 1 RTP/AVP 0', 'a=record:on', 'o=- 1 2 IN IP4 x', 'a=record:'),
  );
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('on' as const, 'off' as const, 'paused' as const), (lines, now) => {
      const once = new LegDescriptions(true).describe(lines.join('\r\n'), now);
      assert.equal(new LegDescriptions(true).describe(once, now), once);
    }),
  );
});
