// @sidestream/routing: whose call it is, what its numbers mean and where it goes, as the trunks of the configuration have it. Pure:
// it knows addresses and numbers, nothing of messages, sockets and time.
export { EmergencyNumbers } from './emergency-numbers.js';
export { type Explanation, explainRoute } from './explain-route.js';
export type { CallNumber } from './number-plan.js';
export {
  inOrder,
  type Random,
  readTarget,
  requestUriAt,
  type Share,
  type Target,
  type TrunkProtocol,
} from './target.js';
export { type Candidate, type RouteQuery, type Routing, type Trunk, TrunkTable } from './trunk-table.js';
