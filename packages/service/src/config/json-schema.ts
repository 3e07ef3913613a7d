// sidestream.yaml as JSON Schema, for editors and for other programs that check it before we do.
import { z } from 'zod';
import { configSchema } from './schema.js';

/**
 * JSON Schema draft-07 of what may be written in sidestream.yaml. What it can't say, such as keys that name other keys, only
 * readConfig() checks.
 */
export function configJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(configSchema, { target: 'draft-7', io: 'input' }), title: 'sidestream.yaml' };
}
