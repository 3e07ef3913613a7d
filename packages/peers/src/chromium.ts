/** Debian's chromium, for tests of pages: where it is, and how it runs on a machine without a screen, a sandbox or a network. */
import { findExecutable, peersRequired } from './config.js';
import { PeerError } from './peer.js';

const ABSENT = 'chromium is not installed';

/** Why tests of pages are skipped; undefined = they are not. @throws PeerError `absent` where CI requires it. */
export function chromiumMissing(): string | undefined {
  if (findExecutable('chromium') !== undefined) return undefined;
  if (peersRequired()) throw new PeerError('absent', ABSENT);
  return ABSENT;
}

/** Launch options for playwright-core. @throws PeerError `absent` when it is not installed */
export function chromiumOptions(): { executablePath: string; chromiumSandbox: boolean; args: string[] } {
  const executablePath = findExecutable('chromium');
  if (executablePath === undefined) throw new PeerError('absent', ABSENT);
  const args = [
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    // It would look for Google's hosts at every start.
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  return { executablePath, chromiumSandbox: false, args };
}
