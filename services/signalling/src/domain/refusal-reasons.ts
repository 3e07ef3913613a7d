// Why new calls are turned away: closed lists, which metrics know beforehand.

/** Why a call is turned away whose trunk is not known. */
export const strangerReasons = ['unknown-trunk', 'login'] as const;
/** Why a trunk's call is turned away. */
export const trunkReasons = [
  'login',
  'draining',
  'overloaded',
  'not-ready',
  'trunk-full',
  'trunk-rate',
  'destination',
  'max-forwards',
  'replaces',
  'no-route',
] as const;
export type RefusalReason = (typeof strangerReasons)[number] | (typeof trunkReasons)[number];
