// Whom to record: the policy's model and the pure decision over it. It must not know where policies or calls come from.
export { type CallFacts, type Decision, type DecisionReason, decide, type SellerCandidate } from './decide.js';
export { normaliseNumber } from './normalise-number.js';
export { PolicyError, type PolicyProblem } from './policy-error.js';
export { parsePolicyFile } from './policy-file.js';
export {
  compilePolicy,
  type PolicyOrigin,
  type PolicySnapshot,
  type Seller,
  type SellerRule,
} from './policy-snapshot.js';
