// @sidestream/cli: what the end-to-end tests start. Users start `sidestream`.
export { Deployment, type DeploymentOptions, type DeploymentStatus } from './deployment.js';
export { customerHost, Laboratory, type LaboratoryOptions, type Orphans, sellerHost } from './laboratory.js';
export {
  accountId,
  type LaboratoryConfig,
  laboratoryServerName,
  laboratoryUsers,
  listedSeller,
  unlistedSeller,
} from './laboratory-config.js';
export { ServiceProcess, type ServiceStatus } from './supervisor.js';
