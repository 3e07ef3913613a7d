// Structured logs: one JSON object a line on stderr (stdout is for the ready line and for a command's own output).
import { type DestinationStream, destination as fileDestination, type Logger, pino } from 'pino';
import { loggedIds } from './tracing/call-spans.js';

export type { Logger } from 'pino';

const secretKeys = ['sdp', 'crypto', 'key', 'token', 'secret', 'password', 'authorization', 'privateKey', 'inline'];

/**
 * Makes the logger of a process.
 *
 * @param options.level pino's names: fatal, error, warn, info, debug, trace, silent.
 * @param options.destination where lines go; stderr unless told.
 */
export function createLogger(options: {
  name: string;
  instance: string;
  level: string;
  destination?: DestinationStream;
}): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.name, instance: options.instance },
      mixin: (line, _level, logger) => loggedIds(line, logger),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    },
    options.destination ?? fileDestination({ dest: 2, sync: true }),
  );
}
