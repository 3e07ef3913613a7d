// @sidestream/service: being a service. Config, log, metrics, health, life cycle, gRPC, NATS. Knows nothing of calls.
export { advertisedAddress, formatHostPort, type HostPort, isLoopback, parseHostPort } from './address.js';
export { bounded } from './bounded.js';
export { linkCertificates, measureCertificates } from './certificate-metrics.js';
export type { CertificateFiles } from './certificate-watch.js';
export { ConfigError, type ConfigProblem } from './config/config-error.js';
export { configJsonSchema } from './config/json-schema.js';
export { readsFile } from './config/needed-files.js';
export { neighbourAddress } from './config/neighbour-address.js';
export { readConfig } from './config/read-config.js';
export { readServiceConfig, type ServiceConfig } from './config/read-service-config.js';
export { type RecorderPlace, recordersOf } from './config/recorder-list.js';
export {
  type ControlServiceConfig,
  configSchema,
  type GatewaySection,
  type GrpcTls,
  type ProviderConfig,
  type SidestreamConfig,
  type TenantConfig,
  type TlsFiles,
} from './config/schema.js';
export type { DestinationsConfig, TrunkLimitsConfig } from './config/trunk-guards.js';
export { type TrunkConfig, trunkSchema } from './config/trunk-schema.js';
export { configWarnings } from './config/warnings.js';
export { DeletionCost, type DeletionCostOptions, type OwnPod } from './deletion-cost.js';
export { certificateNamesHeader, edgeHeaders, traceHeader } from './edge-headers.js';
export { type ErrorCode, type ErrorMeaning, errorTable, isUnanswered, SidestreamError } from './errors.js';
export type { MetricDescription } from './exposition.js';
export { fromZero, type LabelValues } from './from-zero.js';
export { callUnary, grpcClientSeconds } from './grpc/call-unary.js';
export type { CalledService } from './grpc/callers.js';
export { channelCredentials, listClientOptions, serverCredentials } from './grpc/credentials.js';
export { GrpcServer, UnaryHandlers } from './grpc/server.js';
export { TlsMaterial } from './grpc/tls-material.js';
export { type WatchHandlerOptions, watchHandler } from './grpc/watch-handler.js';
export { Health } from './health.js';
export { type HttpReply, httpExchange, httpGet } from './http-exchange.js';
export { Limiter } from './limiter.js';
export { createLogger, type Logger } from './log.js';
export { type ManagementPage, ManagementServer } from './management-server.js';
export { Bus, type BusSession } from './nats/bus.js';
export { EventFeed, type EventFeedOptions, type StreamPlace } from './nats/event-feed.js';
export { type EventBody, EventPublisher, eventSubject } from './nats/event-publisher.js';
export { inspectNats, type NatsInspection, type StreamReport } from './nats/inspect.js';
export { KvFollower, type KvFollowerOptions, type KvValue } from './nats/kv-follower.js';
export { KvWriter } from './nats/kv-writer.js';
export { eventStream, leaseTtlMs, type RecordRetention } from './nats/layout.js';
export { Leadership, type LeadershipOptions } from './nats/leadership.js';
export { LeaseBook } from './nats/lease-book.js';
export { LeaseKeeper } from './nats/lease-keeper.js';
export { readObject } from './nats/object-reader.js';
export { Outbox, type OutboxOptions } from './nats/outbox.js';
export { oldestRecordAt, type RecordQuery, readRecords, recordSubject } from './nats/record-reader.js';
export { neighbourMetrics } from './neighbour-metrics.js';
export { pause } from './pause.js';
export { providerMetrics } from './provider-metrics.js';
export { RateLimit, type RateLimitOptions } from './rate-limit.js';
export { isMediaConfirmed, type LostVoice, voicesLost } from './recorded-media.js';
export {
  type ProcessConfig,
  type RunningService,
  runService,
  type ServiceContext,
  type ServiceDefinition,
  supervisedFlag,
} from './run-service.js';
export { redactSdp, Secret } from './secret.js';
export { TracedHistogram } from './traced-histogram.js';
export { callSpan, setCallSpan, takeCallSpan } from './tracing/call-spans.js';
export { readCollectorHeaders } from './tracing/collector-headers.js';
export { spanOf, withSpan } from './tracing/signal-spans.js';
export {
  beginTrace,
  endSpan,
  failSpan,
  inSpan,
  remoteSpan,
  type Span,
  type SpanOptions,
  startSpan,
  traceHeaders,
} from './tracing/spans.js';
