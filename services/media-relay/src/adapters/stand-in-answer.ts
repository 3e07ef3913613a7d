// The answer that rtpengine hears while the real one is awaited: it forks a party only once that party has answered.

const kept = /^a=(rtpmap|fmtp|ptime|maxptime):/;

/**
 * Takes every codec of an offer and receives nothing: it names the discard port of the engine's own host. It carries no key and no
 * candidate. What the engine replies to it is for nobody, because the ports change with the real answer.
 *
 * @param offered the engine's SDP for the party that has not answered.
 */
export function standInAnswer(offered: string): string {
  const host = /^c=IN IP6 /m.test(offered) ? 'IN IP6 ::1' : 'IN IP4 127.0.0.1';
  const head = ['v=0', `o=- 0 0 ${host}`, 's=-', `c=${host}`, 't=0 0'];
  const [, ...sections] = offered.split(/^(?=m=)/m);
  const media = sections.flatMap((section) => {
    const [line = '', ...attributes] = section.split(/\r?\n/);
    // `inactive` would be the honest direction, but the recorder would be offered inactive streams.
    return [line.replace(/^(m=\S+) [1-9]\d*/, '$1 9'), ...attributes.filter((attribute) => kept.test(attribute))];
  });
  return [...head, ...media, ''].join('\r\n');
}
