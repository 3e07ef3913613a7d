// Everything that applications may rely on in an edge, as tests: call edgeContract with a way to start one. sip-edge is
// held to it in this package; a real drachtio-server can be held to the same.
import { describe } from 'node:test';
import { adminContract } from './admin-contract.js';
import { b2buaContract } from './b2bua-contract.js';
import type { EdgeUnderTest } from './edge-handle.js';
import { frameContract } from './frame-contract.js';
import { midCallContract } from './mid-call-contract.js';
import { passThroughContract } from './pass-through-contract.js';
import { reliableContract } from './reliable-contract.js';
import { sessionTimerContract } from './session-timer-contract.js';
import { uacContract } from './uac-contract.js';
import { uasContract } from './uas-contract.js';

export function edgeContract(under: EdgeUnderTest): void {
  describe(`edge contract: ${under.name}`, () => {
    adminContract(under);
    frameContract(under);
    uasContract(under);
    uacContract(under);
    reliableContract(under);
    midCallContract(under);
    sessionTimerContract(under);
    passThroughContract(under);
    b2buaContract(under);
  });
}
