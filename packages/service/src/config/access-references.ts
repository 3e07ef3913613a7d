// What the schema can't say of how trunks prove who they are: names that must differ, keys that go together.
import type { ConfigProblem } from './config-error.js';
import { entries, type Loose, loose, text } from './loose.js';

/** Checks a document, of any shape. */
export function* checkAccess(config: Loose): Generator<ConfigProblem> {
  const signalling = loose(config['signalling']);
  const open: { realm: string | undefined; trunk: string }[] = [];
  const openUsers = new Map<string, string>();
  for (const [name, trunk] of entries(config['trunks'])) {
    const path = `trunks.${name}`;
    if (
      trunk['credentials'] !== undefined &&
      entries(trunk['targets']).length === 0 &&
      trunk['register'] === undefined
    ) {
      yield { path: `${path}.credentials`, message: 'is for targets or a registrar, and there are none' };
    }
    yield* checkCertificates(`${path}.certificateNames`, trunk, signalling);
    const digest = trunk['digest'];
    if (digest === undefined) continue;
    const mayCallFromAnywhere = entries(trunk['peers']).length + entries(trunk['certificateNames']).length === 0;
    if (mayCallFromAnywhere) {
      const [first] = open;
      const realm = text(digest['realm']);
      if (first !== undefined && first.realm !== realm) {
        const message = `trunk '${first.trunk}' has no peers either and another realm: whom to ask for which is unknown`;
        yield { path: `${path}.digest.realm`, message };
      }
      open.push({ realm, trunk: name });
    }
    const own = new Map<string, string>();
    for (const [index, user] of entries(digest['users'])) {
      const username = text(user['username']);
      if (username === undefined) continue;
      const other = own.get(username) ?? (mayCallFromAnywhere ? openUsers.get(username) : undefined);
      if (other !== undefined) {
        yield { path: `${path}.digest.users.${index}.username`, message: `is the same as ${other}` };
      }
      const place = `${path}.digest.users.${index}`;
      own.set(username, place);
      if (mayCallFromAnywhere) openUsers.set(username, place);
    }
  }
}

/** Only sip-edge tells signalling what a peer has shown, and it asks for certificates where it has a trustFile. */
function* checkCertificates(path: string, trunk: Loose, signalling: Loose): Generator<ConfigProblem> {
  if (entries(trunk['certificateNames']).length === 0) return;
  if ((text(signalling['edge']) ?? 'embedded') !== 'embedded') {
    yield { path, message: 'needs the embedded edge: no other one tells which certificate a peer has shown' };
    return;
  }
  if (loose(signalling['tls'])['trustFile'] === undefined) {
    yield { path, message: 'needs signalling.tls.trustFile: without it no peer is asked for a certificate' };
  }
  if (!entries(signalling['listen']).some(([, listener]) => text(listener)?.startsWith('tls:'))) {
    yield { path, message: 'needs a tls listener in signalling.listen' };
  }
}
