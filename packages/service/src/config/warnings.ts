// What a configuration may say and what somebody should look at all the same.
import type { ConfigProblem } from './config-error.js';
import type { SidestreamConfig } from './schema.js';

/** Warnings by the path of the key; the deployment runs in spite of them. */
export function configWarnings({ tenants }: SidestreamConfig): ConfigProblem[] {
  // RFC 7866 §6.1.2: parties whose user agents show nothing must be told by other means.
  return Object.entries(tenants).flatMap(([name, { recording }]) =>
    recording.enabled && recording.notice === 'none'
      ? [
          {
            path: `tenants.${name}.recording.notice`,
            message:
              'is none: parties without a record-aware user agent are recorded and not told (awareness, contract)',
          },
        ]
      : [],
  );
}
