import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readParties } from '../domain/parties.js';
import { ToldParties } from './told-parties.js';

test('a number has one hash, whoever brings the call and however it is written; a name belongs to its host', () => {
  const told = new ToldParties('hashed');
  const hash = (requestUri: string) => told.hash(readParties({ requestUri, header: () => undefined }).called);
  const sameNumber = [
    'sip:+12015550123@carrier.example',
    'sip:+12015550123;npdi@192.0.2.1:5070;user=phone',
    'sips:+12015550123@other.example',
    'tel:+12015550123',
    'tel:+1-201-555-0123',
  ].map(hash);
  assert.deepEqual([...new Set(sameNumber)], sameNumber.slice(0, 1));
  assert.notEqual(hash('sip:+12015550124@carrier.example'), sameNumber[0]);
  assert.notEqual(hash('sip:ada@a.example'), hash('sip:ada@b.example'));
  assert.notEqual(
    new ToldParties('hashed').hash(readParties({ requestUri: 'tel:+1', header: () => undefined }).called),
    hash('tel:+1'),
  );
});
