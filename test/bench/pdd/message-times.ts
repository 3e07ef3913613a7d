// When sipp has sent and received messages, as its own message log says.

/** Milliseconds of all messages of a kind in their order: a method, or a status for the first responses to INVITE. */
export function messageTimes(log: string, which: 'sent' | 'received', startLine: RegExp): number[] {
  const times: number[] = [];
  const entry = /^-{40,} (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\.(\d{6})\n\w+ message (sent|received) .*\n\n(.*)\r?$/gm;
  for (const [, day, time, micros, direction, line = ''] of log.matchAll(entry)) {
    if (direction === which && startLine.test(line)) times.push(Date.parse(`${day}T${time}Z`) + Number(micros) / 1_000);
  }
  return times;
}
