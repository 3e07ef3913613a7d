// The contract of an edge, held against a real drachtio-server: what we take for its behaviour has to be its behaviour.
import { test } from 'node:test';
import { reasonToSkip, startDrachtio } from '@sidestream/peers';
import { edgeContract } from './contract/edge-contract.js';
import { realDrachtio } from './contract/real-drachtio.js';

const reason = await reasonToSkip([startDrachtio]);
if (reason === undefined) edgeContract(realDrachtio);
else test('edge contract: drachtio-server', { skip: reason }, () => undefined);
