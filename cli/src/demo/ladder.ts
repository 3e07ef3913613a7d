// A SIP ladder for people: who said what to whom, and when. Pure.

export type Station = 'customer' | 'sidestream' | 'seller' | 'recorder';

export interface LadderMessage {
  /** ms since the epoch. */
  readonly at: number;
  readonly from: Station;
  readonly to: Station;
  /** `INVITE`, `200 OK (INVITE)` … */
  readonly text: string;
}

const stations: readonly Station[] = ['customer', 'sidestream', 'seller', 'recorder'];
const columnWidth = 26;
const timeWidth = 8;

/** Draws the messages in order of time; one line each, times in seconds since the first. */
export function drawLadder(messages: readonly LadderMessage[]): string {
  const ordered = [...messages].sort((one, other) => one.at - other.at);
  const start = ordered[0]?.at ?? 0;
  const head = ' '.repeat(timeWidth) + stations.map((name) => name.padEnd(columnWidth)).join('');
  return [head.trimEnd(), ...ordered.map((message) => drawMessage(message, start))].join('\n');
}

function drawMessage({ at, from, to, text }: LadderMessage, start: number): string {
  const [left, right] = [stations.indexOf(from), stations.indexOf(to)].sort((one, other) => one - other);
  const columns = stations.map((_, index) => index * columnWidth + 2);
  const begin = columns[left ?? 0] ?? 0;
  const end = columns[right ?? 0] ?? 0;
  const line = [...' '.repeat((columns.at(-1) ?? 0) + 1)];
  for (const column of columns) line[column] = '│';
  for (let place = begin + 1; place < end; place += 1) line[place] = '─';
  const toTheRight = stations.indexOf(to) > stations.indexOf(from);
  line[toTheRight ? end - 1 : begin + 1] = toTheRight ? '▶' : '◀';
  const room = end - begin - 6;
  const label = ` ${text.length > room ? `${text.slice(0, room - 1)}…` : text} `;
  [...label].forEach((letter, index) => {
    line[begin + 2 + index] = letter;
  });
  return (
    ((at - start) / 1_000)
      .toFixed(3)
      .padStart(timeWidth - 2)
      .padEnd(timeWidth) + line.join('').trimEnd()
  );
}
