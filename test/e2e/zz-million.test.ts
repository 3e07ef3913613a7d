import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { PolicyStage } from './policy-stage.js';
test('million', { timeout: 170_000 }, async (t) => {
  const stage = await PolicyStage.open(t, { contoso: { pollInterval: '60s' } }, { pageSize: 5_000, users: [] });
  if (!stage) return;
  const n = 1_000_000;
  const make = (extra: number) => Array.from({ length: n + extra }, (_, i) => ({
    aadObjectId: `${(i * 2654435761 % 4294967296).toString(16).padStart(8, '0')}-7a50-4c87-9d8e-${i.toString(16).padStart(12, '0')}`,
    userPrincipalName: `user${i}@contoso.example`, displayName: `User Number ${i}`,
    businessPhones: [`+49 30 ${10_000_000 + i}`], sipAddress: `sip:user${i}@pbx.contoso.example`,
  }));
  let list = make(0);
  stage.provider().setUsers(list);
  let t0 = performance.now();
  const instance = await stage.start('one');
  const status = (k: string) => new RegExp(`${k}:\\s+(\\d+)`).exec(readFileSync(`/proc/${instance.service.pid}/status`, 'utf8'))?.[1];
  const watch = setInterval(async () => { try { const e = await stage.bus.session?.bucket('leases').get('leader.policy-sync'); if (e?.operation === 'PUT') { const left = Date.parse((e.json() as any).expiresAt) - Date.now(); least = Math.min(least, left); } } catch {} }, 100);
  let least = 1e9;
  const p = await stage.pointerWhere('m', ({ users }) => users === n, { timeoutMs: 160_000 });
  console.log('first pointer ms', performance.now() - t0, 'bytes', p['bytes'], 'HWM kB', status('VmHWM'), 'RSS', status('VmRSS'), 'least lease left', least);
  t0 = performance.now();
  const e = await instance.explain('+493010000777');
  console.log('first explain (download) ms', performance.now() - t0, e.reason);
  t0 = performance.now();
  await instance.explain('+493010000777'); console.log('second explain ms', performance.now() - t0);
  t0 = performance.now();
  const u = await instance.users({ pageSize: 500 }); console.log('page of users ms', performance.now() - t0, u.users.length);
  list = make(1); stage.provider().setUsers(list); least = 1e9;
  t0 = performance.now();
  const r = await instance.syncNow().catch((error) => error);
  console.log('sync with one more ms', performance.now() - t0, r.changed ?? r, 'HWM', status('VmHWM'), 'RSS', status('VmRSS'), 'least lease left', least);
  clearInterval(watch);
  for (const l of stage.output) { const j = JSON.parse(l); if (/active|stands by|applied|renew/.test(j.msg)) console.log(j.time, j.msg); }
  console.log((await instance.metrics()).split('\n').filter((l) => /eventloop_lag_(max|p99)|sync_seconds_sum/.test(l) && !l.startsWith('#')).join('\n'));
  void eventually;
});
