// The message that `bench sip` works on: a SIPREC INVITE of about 2 kB as our recording client writes it.
import {
  bodyParts,
  dynamics365,
  inviteHeaders,
  newRecordingCallId,
  recordingContact,
  writeMultipart,
  writeRecordingOffer,
} from '@sidestream/siprec';

const stream = { address: '192.0.2.10', payloadTypes: [0, 101] } as const;

/** A minimal snapshot: one session, the two parties with their streams. The full one of a call has twice the bytes. */
const metadata = `<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode><session session_id="AAAAAAAAQACAAAAAAAAAAQ=="/>
<participant participant_id="AAAAAAAAQACAAAAAAAAAAg=="><nameID aor="sip:+14255550123@carrier.example"/></participant>
<stream stream_id="AAAAAAAAQACAAAAAAAAAAw==" session_id="AAAAAAAAQACAAAAAAAAAAQ=="><label>inbound</label></stream>
<participantstreamassoc participant_id="AAAAAAAAQACAAAAAAAAAAg=="><send>AAAAAAAAQACAAAAAAAAAAw==</send></participantstreamassoc>
</recording>`;

/** The INVITE's bytes. */
export function siprecInvite(): Buffer {
  const sdp = writeRecordingOffer({
    streams: [
      { ...stream, party: 'customer', port: 30098, rtcpPort: 30099, crypto: sdes(1) },
      { ...stream, party: 'seller', port: 30110, rtcpPort: 30111, crypto: sdes(2) },
    ],
    sessionId: 1176539620n,
    version: 1,
    address: '192.0.2.10',
    direction: 'sendonly',
    profile: dynamics365,
  });
  const { contentType, body } = writeMultipart([
    { contentType: 'application/sdp', body: sdp },
    { contentType: dynamics365.metadataType, disposition: 'recording-session', body: metadata },
  ]);
  const lines = [
    `INVITE ${dynamics365.uri({ scheme: 'sip', user: 'SRS', host: 'recorder.example', port: 5061 })} SIP/2.0`,
    'Via: SIP/2.0/TLS 192.0.2.10:50614;branch=z9hG4bK5f0b9a30b4f94e13;rport',
    'Max-Forwards: 70',
    'From: "Sidestream" <sip:SRC@sbc.contoso.example>;tag=9fxced76sl',
    'To: <sip:SRS@recorder.example:5061;transport=tls>',
    `Call-ID: ${newRecordingCallId()}`,
    'CSeq: 1 INVITE',
    `Contact: ${recordingContact(dynamics365, { scheme: 'sip', user: 'SRC', host: '192.0.2.10', port: 50614 })}`,
    ...inviteHeaders(dynamics365, { accountId: 'AC0123' }).map(([name, value]) => `${name}: ${value}`),
    `Content-Type: ${contentType}`,
    `Content-Length: ${body.length}`,
    '',
    '',
  ];
  const message = Buffer.concat([Buffer.from(lines.join('\r\n')), body]);
  if (bodyParts(contentType, body).length !== 2) throw new Error('the message of the benchmark has not two parts');
  return message;
}

function sdes(byte: number): string {
  return `1 AES_CM_128_HMAC_SHA1_80 inline:${Buffer.alloc(30, byte).toString('base64')}`;
}
