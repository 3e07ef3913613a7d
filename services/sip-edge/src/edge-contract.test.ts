// The contract of an edge, held against sip-edge in this process with unmodified drachtio-srf.
import { edgeContract } from './contract/edge-contract.js';
import { startEmbeddedEdge } from './contract/embedded-edge.js';

edgeContract({ name: 'sip-edge', referenceOnly: false, start: startEmbeddedEdge });
