// `sidestream doctor`: the surroundings of a deployment, looked at before and while it runs.
import { Console } from 'node:console';
import { ConfigError, readConfig } from '@sidestream/service';
import { failed } from '../answered.js';
import { type Check, type CheckName, type Result, worst } from '../doctor/check.js';
import { checks } from '../doctor/checks.js';
import { problemFindings, recorderProblems } from '../doctor/config-check.js';
import { Examined } from '../doctor/examined.js';
import { reportJson, reportText } from '../doctor/report.js';
import { runChecks } from '../doctor/run-checks.js';

export interface DoctorOptions {
  readonly config: string;
  readonly only?: readonly CheckName[];
  readonly tenant?: string;
  /** For each probe. */
  readonly timeoutMs: number;
  readonly json: boolean;
}

/** @returns the exit code: 0 nothing failed, 1 something did, 2 wrong configuration or tenant. */
export async function doctor({ config: file, only, tenant, timeoutMs, json }: DoctorOptions): Promise<number> {
  // A library tells what it thinks of garbage on stdout, which is the report's.
  globalThis.console = new Console(process.stderr, process.stderr);
  const chosen = checks.filter(({ name }) => only?.includes(name) ?? true);
  try {
    const config = readConfig(file);
    const problems = recorderProblems(config);
    if (problems.length > 0) throw new ConfigError(file, problems);
    const names = chosen.map(({ name }) => name);
    const examined = new Examined({ file, config, names, tenant, timeoutMs });
    const results = await runChecks(chosen, examined, progress);
    await print(file, results, json);
    return results.some(({ state }) => state === 'fail') ? 1 : 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) return failed(error);
    const results = problemFindings(file, error.problems).map((one): Result => ({ name: 'config', ...one }));
    await print(file, results, json);
    return 2;
  }
}

function progress({ name }: Check, results: readonly Result[], ms: number): void {
  const state = worst(results.map((one) => one.state));
  process.stderr.write(`${name}: ${state} in ${Math.round(ms)} ms\n`);
}

function print(file: string, results: readonly Result[], json: boolean): Promise<void> {
  const text = json
    ? `${JSON.stringify(reportJson(file, results), undefined, 2)}\n`
    : reportText(results, process.stdout.isTTY === true);
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}
