/** A party's plainest description, for tests whose engine doesn't read it. */
export const audioSdp = [
  ...['v=0', 'o=p 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'],
  ...['m=audio 4000 RTP/AVP 0', ''],
].join('\r\n');
