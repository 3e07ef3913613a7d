/** How to start one peer, whichever way: the part that differs between NATS, rtpengine and drachtio-server. */

/** Files and arguments are given per directory, because a container sees another one than a spawned binary. */
export interface Recipe<Details> {
  name: string;
  /** Executable, the same name on PATH and in the image. */
  command: string;
  image: string;
  /** Where nobody publishes the image: its folder and file to build it from. */
  build?: { readonly context: string; readonly file: string };
  files?: Readonly<Record<string, string>>;
  args(directory: string): string[];
  /** It starts processes of its own, which are to end with it. */
  family?: boolean;
  /** One attempt to reach the peer; rejects when it is not ready yet. Returns what only the running peer knows. */
  probe(signal: AbortSignal): Promise<Details>;
}

/** A started process or container, before it is known to be ready. */
export interface Started {
  readonly pid: number | undefined;
  /** Settles when it has ended by itself; never rejects. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
  output(): string;
}
