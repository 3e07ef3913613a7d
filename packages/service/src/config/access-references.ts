// What the schema can't say of how trunks prove who they are: names that must differ, keys that go together.
import type { ConfigProblem } from './config-error.js';
import { entries, type Loose, text } from './loose.js';

/** Checks a document, of any shape. */
export function* checkAccess(config: Loose): Generator<ConfigProblem> {
  const open: { realm: string | undefined; trunk: string }[] = [];
  const openUsers = new Map<string, string>();
  for (const [name, trunk] of entries(config['trunks'])) {
    const path = `trunks.${name}`;
    if (trunk['credentials'] !== undefined && entries(trunk['targets']).length === 0) {
      yield { path: `${path}.credentials`, message: 'is for targets, and there are none' };
    }
    const digest = trunk['digest'];
    if (digest === undefined) continue;
    const mayCallFromAnywhere = entries(trunk['peers']).length === 0;
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
