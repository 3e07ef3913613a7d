// What the benchmark puts into the environment of the processes that it starts, and what they find there.

/** Every Node process that is started from now on loads `module` first; see profileDirectory. */
export function profileChildren(directory: string, module: URL): void {
  process.env['NODE_OPTIONS'] = `--import=${module.href}`;
  process.env['SIDESTREAM_PROFILE'] = directory;
}

/** Where such a process shall leave its CPU profile. */
export function profileDirectory(): string | undefined {
  return process.env['SIDESTREAM_PROFILE'];
}
