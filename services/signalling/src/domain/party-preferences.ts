// What the parties of a call prefer of its recording (RFC 7866 §6.3, a=recordpref). Whether that is obeyed is the tenant's policy.

const preferences = ['on', 'off', 'pause', 'nopreference'] as const;
export type RecordPreference = (typeof preferences)[number];

/** What follows from all that the parties prefer. */
export type PreferredRecording = 'record' | 'pause' | 'off';

/** The preference in a description: of its first media section that has one, else of the session; undefined without one. */
export function preferenceIn(sdp: string): RecordPreference | undefined {
  const said = /^a=recordpref:(\w+)\s*$/m.exec(sdp.slice(Math.max(0, sdp.search(/^m=/m))))?.[1];
  return preferences.find((one) => one === said);
}

/** Nobody is recorded against a party's wish: whoever wants less decides. */
export function preferred(all: Iterable<RecordPreference>): PreferredRecording {
  const said = new Set(all);
  if (said.has('off')) return 'off';
  return said.has('pause') ? 'pause' : 'record';
}
