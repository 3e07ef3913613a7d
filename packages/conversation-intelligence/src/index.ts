/** The one door of @sidestream/conversation-intelligence: the provider API of Dynamics 365 conversation intelligence, and its tokens. */
export type { Validators } from './answer-headers.js';
export { ProviderClient, type RegisterOutcome, type TenantRegistration } from './provider-client.js';
export { ProviderError, type ProviderErrorCode, providerErrorCodes } from './provider-error.js';
export {
  type ClientCredential,
  defaultApiBaseUrl,
  defaultAuthority,
  defaultResourceAppId,
  type ProviderClientOptions,
  type ProviderExchange,
  type ProviderLimits,
  type ProviderLog,
  type RetryPolicy,
} from './provider-options.js';
export type { ProviderUser } from './provider-user.js';
export type { UserList } from './user-collector.js';
