// Loaded into a process before its own code: records its CPU profile and leaves it in the directory when the process ends.
// Node 20 takes --cpu-prof on the command line only, and the command lines are the supervisor's.
import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { profileDirectory } from '../config.js';

const directory = profileDirectory();
const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.start');
process.once('exit', () => {
  // The inspector of one's own thread calls back before post() returns.
  session.post('Profiler.stop', (error, result) => {
    if (error !== null || directory === undefined) return;
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `${process.pid}.cpuprofile`), JSON.stringify(result.profile));
  });
});
