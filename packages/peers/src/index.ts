/** The one door of @sidestream/peers: real peers for tests and the demo, found in one place. */
export { chromiumMissing, chromiumOptions } from './chromium.js';
export { findExecutable, peersRequired } from './config.js';
export { type DrachtioOptions, type DrachtioPeer, startDrachtio } from './drachtio.js';
export { eventually } from './eventually.js';
export { type KamailioOptions, type KamailioPeer, type KamailioTls, startKamailio } from './kamailio.js';
export { type NatsOptions, type NatsPeer, startNats } from './nats.js';
export { type Peer, PeerError, type PeerResult, type PeerSource } from './peer.js';
export { freeTcpPort, freeUdpPort, mediaPortRange, type PortRange } from './ports.js';
export { type PrometheusOptions, type PrometheusPeer, type ScrapeTarget, startPrometheus } from './prometheus.js';
export { type PeerNeeds, reasonToSkip, requirePeer } from './reason-to-skip.js';
export { type RtpengineOptions, type RtpenginePeer, startRtpengine } from './rtpengine.js';
export { runSipp, type SippResult, sippListens, sippMissing } from './sipp.js';
