// What the benchmark puts into the environment of the processes that it starts, and what they find there.

/** Every Node process that is started from now on loads `module` first, and finds `directory` in outputDirectory(). */
function preload(module: URL, variable: string, directory: string): void {
  process.env['NODE_OPTIONS'] = `${process.env['NODE_OPTIONS'] ?? ''} --import=${module.href}`.trim();
  process.env[variable] = directory;
}

/** Every Node process that is started from now on leaves its CPU profile in the directory. */
export function profileChildren(directory: string): void {
  preload(new URL('./call/profiled.js', import.meta.url), 'SIDESTREAM_PROFILE', directory);
}

/** Every Node process that is started from now on collects its heap when it gets SIGUSR2, and says so in the directory. */
export function collectChildren(directory: string): void {
  preload(new URL('./call/collected.js', import.meta.url), 'SIDESTREAM_COLLECT', directory);
}

/** Where such a process shall leave its CPU profile. */
export function profileDirectory(): string | undefined {
  return process.env['SIDESTREAM_PROFILE'];
}

/** Where such a process shall say that its heap was collected. */
export function collectDirectory(): string | undefined {
  return process.env['SIDESTREAM_COLLECT'];
}
