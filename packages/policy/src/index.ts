// Whom to record: the policy's model and the pure decision over it. It must not know where policies or calls come from.
export { type BuildOptions, type BuiltPolicy, buildPolicy, type PolicyUser } from './build-policy.js';
export {
  type CallFacts,
  type CallParty,
  type Decision,
  type DecisionReason,
  decide,
  decisionReasons,
  type SellerCandidate,
} from './decide.js';
export { type Explanation, explain, type Question, questionProblem } from './explain.js';
export { type Identities, type IdentitiesOptions, parseIdentities } from './identities.js';
export { normaliseNumber } from './normalise-number.js';
export { type CountryCode, internationalNumber, isCountryCode } from './phone-number.js';
export { PolicyError, type PolicyProblem } from './policy-error.js';
export { parsePolicyFile } from './policy-file.js';
export { addressKey, keyText, numberKey, type PolicyKey } from './policy-key.js';
export { type PolicyPointer, policyPointer } from './policy-pointer.js';
export {
  type Freshness,
  type Match,
  openSnapshot,
  type PolicySnapshot,
  type Seller,
  type SnapshotOrigin,
  type StaleRule,
} from './policy-snapshot.js';
export type { Problems } from './problem-list.js';
export { receiveSnapshot } from './receive-snapshot.js';
export { type SellerIdentity, sellerIdentity } from './seller-identity.js';
export { type EncodedSnapshot, type EncodeOptions, encodeSnapshot, type PolicyRule } from './snapshot-encoder.js';
