// What the command line takes from its environment, and hands on.

/** Environment of a service process: what the parent has, plus what the service is told. */
export function serviceEnvironment(told: Record<string, string>): Record<string, string> {
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(inherited), ...told };
}
