// For who checks a deployment: rtpengine as the relay drives it, without the relay.
export { NgClient, NgError } from './adapters/ng-client.js';
export { asDictionary, asList, type NgDictionary } from './adapters/ng-message.js';
export { Rtpengine } from './adapters/rtpengine.js';
export type { ForkStream } from './domain/ports.js';
