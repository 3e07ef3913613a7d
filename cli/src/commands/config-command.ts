// `sidestream config …`: is this sidestream.yaml right, and what may be in one.
import { ConfigError, configJsonSchema, configWarnings, readConfig } from '@sidestream/service';
import { Command } from 'commander';
import { failed, say, strict } from '../answered.js';
import { configOption } from '../config-option.js';

/** @param done is given the exit code. */
export function configCommand(done: (code: number) => void): Command {
  const config = strict(new Command('config')).description('check sidestream.yaml, or print its JSON Schema');
  config
    .command('check')
    .description('print every problem and warning with the path of its key; starts and asks nothing')
    .addOption(configOption())
    .option('--json', 'print one JSON document: ok, problems, warnings')
    .addHelpText('after', '\nWarnings are of what runs all the same. Exit code: 0 without problems, 2 with.')
    .action((options: { config: string; json?: boolean }) => done(check(options.config, options.json ?? false)));
  config
    .command('schema')
    .description('print the JSON Schema (draft-07) of sidestream.yaml, for editors')
    .action(() => say(JSON.stringify(configJsonSchema(), undefined, 2)));
  return config;
}

function check(file: string, json: boolean): number {
  try {
    const warnings = configWarnings(readConfig(file));
    if (json) say(JSON.stringify({ ok: true, problems: [], warnings }));
    else {
      for (const { path, message } of warnings) say(`warning: ${path} ${message}`);
      say(`${file}: no problems, ${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}`);
    }
    return 0;
  } catch (error) {
    if (json && error instanceof ConfigError) {
      say(JSON.stringify({ ok: false, problems: error.problems, warnings: [] }));
      return 2;
    }
    return failed(error);
  }
}
