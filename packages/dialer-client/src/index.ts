/** The one door of @sidestream/dialer-client: what happens to a seller's calls, raised in Dynamics 365. For browsers, without dependencies. */
export { type Cif, CifError, type CifFailure } from './cif.js';
export { type CifOutcome, type Dialer, type DialerOptions, startDialer } from './dialer.js';
export type { CallEnded, CallNotRecorded, CallStarted, DialerEvent } from './events.js';
export { findLibrary, type LibraryPlaces } from './library-place.js';
export { type CifOptions, loadCif } from './load-cif.js';
export type { MemoryStorage } from './memory.js';
export type { RaiseOutcome } from './raiser.js';
export type { ConnectionState, GetToken, StopReason, WaitReason } from './states.js';
