import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLibrary } from './library-place.js';

const dynamics = ['https://*.dynamics.com'];
const path = '/webresources/Widget/msdyn_ciLibrary.js';
const page = (query: string) => `https://dialer.example/widget.html${query}`;
const code = (wanted: string) => ({ name: 'CifError', code: wanted });

test('ucilib, base, the nearest ancestor and the referrer count in this order', () => {
  const places = {
    href: page('?ucilib=https%3A%2F%2Fa.dynamics.com%2Flib.js&base=https%3A%2F%2Fb.dynamics.com'),
    ancestorOrigins: ['https://c.dynamics.com', 'https://e.dynamics.com'],
    referrer: 'https://d.dynamics.com/main.aspx?app=1',
  };
  assert.equal(findLibrary(places, dynamics).href, 'https://a.dynamics.com/lib.js');
  const withBase = { ...places, href: page('?base=https%3A%2F%2Fb.dynamics.com/main.aspx') };
  assert.equal(findLibrary(withBase, dynamics).href, `https://b.dynamics.com${path}`);
  assert.equal(findLibrary({ ...places, href: page('') }, dynamics).href, `https://c.dynamics.com${path}`);
  const inFirefox = { href: page(''), referrer: places.referrer };
  assert.equal(findLibrary(inFirefox, dynamics).href, `https://d.dynamics.com${path}`);
});

test('nothing names a place', () => {
  assert.throws(() => findLibrary({ href: page('?ucilib=&base=') }, dynamics), code('no-library-url'));
});

test('one label or more below the allowed name, by HTTPS, at its port, without a user', () => {
  const find = (ucilib: string, allowed = dynamics) =>
    findLibrary({ href: page(`?ucilib=${encodeURIComponent(ucilib)}`) }, allowed).href;
  for (const good of ['https://org.dynamics.com/l.js', 'https://org.crm4.dynamics.com/l.js'])
    assert.equal(find(good), good);
  for (const bad of [
    'https://dynamics.com/l.js',
    'https://dynamics.com.evil.example/l.js',
    'https://evildynamics.com/l.js',
    'http://org.dynamics.com/l.js',
    'https://org.dynamics.com:8443/l.js',
    'https://ada@org.dynamics.com/l.js',
    'https://evil.example/?https://org.dynamics.com',
    'javascript:alert(1)//.dynamics.com',
    'data:text/javascript,//.dynamics.com',
    '//org.dynamics.com/l.js',
    '/l.js',
  ])
    assert.throws(() => find(bad), code('origin-refused'), bad);
  assert.equal(find('http://127.0.0.1:8080/l.js', ['http://127.0.0.1:8080']), 'http://127.0.0.1:8080/l.js');
  assert.throws(() => find('http://127.0.0.1:8081/l.js', ['http://127.0.0.1:8080']), code('origin-refused'));
});

test('what is named and refused is not passed over for the next best', () => {
  const places = {
    href: page('?ucilib=https%3A%2F%2Fevil.example%2Flib.js'),
    ancestorOrigins: ['https://a.dynamics.com'],
  };
  assert.throws(() => findLibrary(places, dynamics), code('origin-refused'));
});
