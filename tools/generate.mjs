// Generates TypeScript from proto/ with buf and ts-proto; offline. Output: proto/gen (not committed).
import { run } from './run.mjs';

run('npx', ['--no-install', 'buf', 'lint'], { cwd: 'proto' });
run('npx', ['--no-install', 'buf', 'generate'], { cwd: 'proto' });
