// `npm run bench`: parsing and exit codes, nothing else.
import { Command, InvalidArgumentError } from 'commander';
import { callBench, callBenchDefaults, callBenchRemarks } from './call/call-bench.js';
import { clipBench, clipBenchDefaults, clipBenchRemarks } from './clip/clip-bench.js';
import { eventsBench, eventsBenchDefaults, eventsBenchRemarks } from './events/events-bench.js';
import { pddBench, pddBenchDefaults, pddBenchRemarks } from './pdd/pdd-bench.js';
import { policyBench, policyBenchDefaults, policyBenchRemarks } from './policy/policy-bench.js';
import { formatReport, type Report } from './report.js';
import { sipBench, sipBenchDefaults, sipBenchRemarks } from './sip/sip-bench.js';
import { telemetryBench, telemetryBenchDefaults, telemetryBenchRemarks } from './telemetry/telemetry-bench.js';

const program = new Command('bench')
  .description('Measures CPU and memory per unit of work on this machine, beside what peers need.')
  .showHelpAfterError();

program
  .command('sip')
  .description("read, change and write a SIPREC INVITE, against drachtio-srf's own parser")
  .option('--rounds <n>', 'rounds that take turns', count, sipBenchDefaults.rounds)
  .option('--messages <n>', 'messages of a round', count, sipBenchDefaults.messages)
  .option('--json', 'print {name, figures, ratios, machine} as JSON')
  .action((options: { rounds: number; messages: number; json?: boolean }) =>
    print(sipBench(options), sipBenchRemarks, options.json),
  );

program
  .command('call')
  .description('whole recorded calls: sipp parties, our edge, signalling and media relay, a TLS recorder; no media')
  .option('--rate <n>', 'calls a second of the measured run', count, callBenchDefaults.rate)
  .option('--seconds <n>', 'its length', count, callBenchDefaults.seconds)
  .option('--concurrent <n>', 'calls held at once for the memory figure', count, callBenchDefaults.concurrent)
  .option('--max-rate <n>', 'where the ramp ends at the latest', count, callBenchDefaults.maxRate)
  .option(
    '--only <steps>',
    'comma list of cpu, ramp, memory, orphans',
    among(callBenchDefaults.only),
    callBenchDefaults.only,
  )
  .option('--profile <directory>', 'leave a CPU profile of each of our processes there; the figures are higher then')
  .option('--json', 'print {name, figures, ratios, machine} as JSON')
  .addHelpText(
    'after',
    '\nTakes about five minutes; progress is on stderr. Exit code 1 when a step could not be measured.',
  )
  .action(async (options: Parameters<typeof callBench>[0] & { json?: boolean }) =>
    print(await callBench(options, progress), callBenchRemarks, options.json),
  );

program
  .command('policy')
  .description('decisions over a policy of a million users while another one takes its place')
  .option('--users <n>', 'users of the policy', count, policyBenchDefaults.users)
  .option('--swaps <n>', 'how often a new policy arrives', count, policyBenchDefaults.swaps)
  .option('--json', 'print {name, figures, ratios, machine} as JSON')
  .addHelpText('after', '\nTakes one to three minutes; progress is on stderr.')
  .action(async (options: Parameters<typeof policyBench>[0] & { json?: boolean }) =>
    print(await policyBench(options, progress), policyBenchRemarks, options.json),
  );

program
  .command('clip')
  .description('audio missing in recordings beside recorders 100 ms away that answer, are silent, refuse or are lost')
  .option('--calls <n>', 'calls of each step', count, clipBenchDefaults.calls)
  .option(
    '--only <figures>',
    `comma list of ${clipBenchDefaults.only.join(', ')}`,
    among(clipBenchDefaults.only),
    clipBenchDefaults.only,
  )
  .option('--json', 'print {name, figures, ratios, machine} as JSON')
  .addHelpText(
    'after',
    '\nTakes about two minutes; progress is on stderr. Exit code 1 when a step could not be measured.',
  )
  .action(async (options: Parameters<typeof clipBench>[0] & { json?: boolean }) =>
    print(await clipBench(options, progress), clipBenchRemarks, options.json),
  );

program
  .command('pdd')
  .description('post-dial delay that we add, beside Kamailio with rtpengine: INVITE in to out, 200 in to out')
  .option('--rounds <n>', 'rounds that take turns', count, pddBenchDefaults.rounds)
  .option('--calls <n>', 'calls of each in a round', count, pddBenchDefaults.calls)
  .option('--json', 'print {name, figures, ratios, machine} as JSON')
  .addHelpText('after', '\nTakes about three minutes; progress is on stderr.')
  .action(async (options: Parameters<typeof pddBench>[0] & { json?: boolean }) =>
    print(await pddBench(options, progress), pddBenchRemarks, options.json),
  );

program
  .command('events')
  .description("from a call's answer to its seller's dialer, beside many that are connected; memory of idle dialers")
  .option('--clients <n>', 'dialers that are connected while calls are made', count, eventsBenchDefaults.clients)
  .option('--rate <n>', 'calls a second', count, eventsBenchDefaults.rate)
  .option('--seconds <n>', 'how long', count, eventsBenchDefaults.seconds)
  .option('--idle <n>', 'dialers for the memory figure', count, eventsBenchDefaults.idle)
  .option('--json', 'print {name, figures, ratios, machine} as JSON')
  .addHelpText('after', '\nTakes about a minute and a half; progress is on stderr.')
  .action(async (options: Parameters<typeof eventsBench>[0] & { json?: boolean }) =>
    print(await eventsBench(options, progress), eventsBenchRemarks, options.json),
  );

program
  .command('telemetry')
  .description('what metrics and traces cost: recorded calls with neither, scraped, traced, and both, at the same time')
  .option('--rounds <n>', 'rounds', count, telemetryBenchDefaults.rounds)
  .option('--rate <n>', 'calls a second in each deployment', count, telemetryBenchDefaults.rate)
  .option('--seconds <n>', 'length of a round', count, telemetryBenchDefaults.seconds)
  .option('--json', 'print {name, figures, ratios, machine} as JSON')
  .addHelpText('after', '\nTakes about six minutes; progress is on stderr.')
  .action(async (options: Parameters<typeof telemetryBench>[0] & { json?: boolean }) =>
    print(await telemetryBench(options, progress), telemetryBenchRemarks, options.json),
  );

function progress(line: string): void {
  process.stderr.write(`• ${line}\n`);
}

function print(report: Report, remarks: Readonly<Record<string, string>>, json: boolean | undefined): void {
  process.stdout.write(json === true ? `${JSON.stringify(report)}\n` : `${formatReport(report, remarks)}\n`);
}

function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('not a whole number above 0');
  return Number(text);
}

function among(known: readonly string[]): (text: string) => string[] {
  return (text) => {
    const wanted = text.split(',');
    const unknown = wanted.find((step) => !known.includes(step));
    if (unknown !== undefined) throw new InvalidArgumentError(`there is no step ${unknown}`);
    return wanted;
  };
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
