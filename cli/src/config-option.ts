// `--config` of every command that reads sidestream.yaml.
import { Option } from 'commander';

/** `-c, --config <file>`; without it the file that SIDESTREAM_CONFIG names, as for services: an image says it. */
export function configOption(): Option {
  return new Option('-c, --config <file>', 'sidestream.yaml').env('SIDESTREAM_CONFIG').makeOptionMandatory();
}
