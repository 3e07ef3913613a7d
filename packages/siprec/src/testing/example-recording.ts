// The recording that the golden files show, with fixed ids and times. For tests only.
import { type NewRecording, newRecordingModel, type RecordingModel } from '../metadata/recording-model.js';
import { toUuid, type Uuid } from '../metadata/uuid.js';
import { dynamics365 } from '../recorder-profile.js';
import { type ForkStream, writeRecordingOffer } from '../sdp/recording-offer.js';

/** Ids 00000000-0000-4000-8000-000000000001, …2 and so on. */
export function countingIds(): () => Uuid {
  let count = 0;
  return () => {
    count += 1;
    return toUuid(`00000000-0000-4000-8000-${String(count).padStart(12, '0')}`);
  };
}

export function exampleRecording(overrides: Partial<NewRecording> = {}): RecordingModel {
  return newRecordingModel({
    direction: 'inbound',
    startTime: new Date('2026-03-02T09:15:00.250Z'),
    recordedSince: new Date('2026-03-02T09:15:07.500Z'),
    customer: { aor: 'sip:+14255550123@carrier.example;user=phone', name: 'Kiana Anderson' },
    seller: { aor: 'sip:+4930901820@pbx.example:5060', name: 'Tomás Ričardson & Co <sales>' },
    newId: countingIds(),
    ...overrides,
  });
}

export const stopTime = new Date('2026-03-02T09:20:00.000Z');

/** An a=crypto value of the given tag whose 30 key bytes are all the same. */
export function crypto(byte: number, tag = 1): string {
  return `${tag} AES_CM_128_HMAC_SHA1_80 inline:${Buffer.alloc(30, byte).toString('base64')}`;
}

export const customerStream: ForkStream = {
  party: 'customer',
  address: '192.0.2.10',
  port: 30098,
  rtcpPort: 30099,
  crypto: crypto(1),
  payloadTypes: [0, 101],
};

export const sellerStream: ForkStream = {
  party: 'seller',
  address: '192.0.2.10',
  port: 30110,
  rtcpPort: 30111,
  crypto: crypto(2),
  payloadTypes: [0, 101],
};

export function exampleOffer(overrides: Partial<Parameters<typeof writeRecordingOffer>[0]> = {}): string {
  return writeRecordingOffer({
    streams: [customerStream, sellerStream],
    sessionId: 1176539620n,
    version: 1,
    address: '192.0.2.10',
    direction: 'sendonly',
    profile: dynamics365,
    ...overrides,
  });
}
