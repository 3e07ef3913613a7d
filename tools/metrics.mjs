// npm run metrics: writes docs/metrics.md from a run of every service. They must be built.
import { run } from './run.mjs';

run(process.execPath, ['../tools/run-tests.mjs', 'monitoring/metrics-page'], {
  cwd: 'test',
  env: { SIDESTREAM_WRITE_DOCS: '1' },
});
