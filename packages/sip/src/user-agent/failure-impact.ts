// What a failure within a dialog costs: the transaction alone, or the session with it (RFC 5057 §5.1, table 2). Our dialogs have
// one usage, that of their INVITE, so what destroys the usage destroys the dialog.

const destroysDialog: ReadonlySet<number> = new Set([404, 410, 416, 482, 483, 484, 485, 502, 604]);
// 408 does what a time-out does (§5.1 note 4).
const destroysUsage: ReadonlySet<number> = new Set([408, 480, 481]);
const refusesMethod: ReadonlySet<number> = new Set([405, 501]);
const inviteUsage: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'PRACK', 'INFO', 'BYE']);

/** Whether a request belongs to the session (§5.3). OPTIONS and MESSAGE do not: that they time out says nothing of it (§5.2). */
export function isOfSession(method: string): boolean {
  return inviteUsage.has(method);
}

/** Whether a final response to a request within the dialog ends the session. */
export function endsSession(method: string, status: number): boolean {
  if (destroysDialog.has(status)) return true;
  if (destroysUsage.has(status)) return isOfSession(method);
  // Note 3: only where the session cannot be without the method. UPDATE and INFO are options of it.
  return refusesMethod.has(status) && method === 'INVITE';
}
