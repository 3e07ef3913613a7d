import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SrfDialog } from './drachtio-contract.js';
import { PeerIdentity } from './drachtio-identity.js';

const said = (from: string, asserted?: string) => ({
  get: (name: string) => ({ from, to: from, 'p-asserted-identity': asserted })[name],
});

function peer(type: 'uas' | 'uac', from: string, asserted?: string): PeerIdentity {
  const [own, theirs] = [said('<sip:us@sbc>;tag=1'), said(from, asserted)];
  const [req, res] = type === 'uas' ? [theirs, own] : [own, theirs];
  return new PeerIdentity({ type, req, res } as unknown as Pick<SrfDialog, 'type' | 'req' | 'res'>);
}

test('RFC 4916 §4.3: another user in From is somebody else; another host, name or tag is not', () => {
  for (const type of ['uas', 'uac'] as const) {
    const bob = peer(type, '<sip:bob@pbx>;tag=7');
    assert.ok(!bob.changes(said('"Bob" <sip:bob@192.0.2.9:5070>;tag=8')));
    assert.ok(bob.changes(said('<sip:carol@pbx>;tag=7')));
    assert.ok(!bob.changes(said('<sip:carol@pbx>;tag=7')), 'it is told once');
    assert.ok(!peer(type, 'nonsense').changes(said('other nonsense')));
  }
});

test('RFC 3325: another identity is somebody else; the first one, and none, are not', () => {
  const bob = peer('uac', '<sip:bob@pbx>;tag=7', '<sip:+4930205@pbx>');
  assert.ok(!bob.changes(said('<sip:bob@pbx>')), 'a request that asserts nothing takes nothing back');
  assert.ok(bob.changes(said('<sip:bob@pbx>', '<sip:+4930206@pbx>')));
  const silent = peer('uac', '<sip:bob@pbx>;tag=7');
  assert.ok(!silent.changes(said('<sip:bob@pbx>', '<sip:205@pbx>')));
  assert.ok(silent.changes(said('<sip:bob@pbx>', '<sip:206@pbx>')));
});
