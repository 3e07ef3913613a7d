import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAuthority } from './authority.js';
import { CredentialFolder } from './credential-folder.js';

test('credentials lie side by side, are renewed in place, and go with the folder', async () => {
  const [ours, theirs] = [await createAuthority('Ours'), await createAuthority('Theirs')];
  const folder = await CredentialFolder.create();
  try {
    const own = await folder.write(await ours.issue({ commonName: 'own' }), 'own');
    const strange = await folder.write(await theirs.issue({ commonName: 'own' }), 'stranger', ours);
    assert.notEqual(own.certFile, strange.certFile);
    assert.equal(await readFile(own.trustFile, 'utf8'), ours.certificate);
    assert.equal(await readFile(strange.trustFile, 'utf8'), ours.certificate);
    const renewed = await ours.issue({ commonName: 'own' });
    assert.deepEqual(await folder.write(renewed, 'own'), own);
    assert.equal(await readFile(own.keyFile, 'utf8'), renewed.key);
    const escaped = await folder.write(renewed, '../own');
    assert.ok(escaped.keyFile.startsWith(join(folder.directory, '_')));
  } finally {
    await folder.remove();
    await folder.remove();
  }
  await assert.rejects(access(folder.directory), { code: 'ENOENT' });
});
