// A log whose lines can be looked at.
import { createLogger, type Logger } from '@sidestream/service';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly err?: { readonly message: string };
}

/** Collects the lines of this level and above; `onLine` is told of each. */
export function testLog(level = 'info', onLine: () => void = () => {}): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write = (line: string) => {
    lines.push(JSON.parse(line));
    onLine();
  };
  return { log: createLogger({ name: 'test', instance: 'test', level, destination: { write } }), lines };
}
