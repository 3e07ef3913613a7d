// A watch: a stream of what happens, for as long as the client wants and keeps up. Every service's watch behaves alike.
import { type handleServerStreamingCall, Metadata, status } from '@grpc/grpc-js';

export interface WatchHandlerOptions<R> {
  readonly maxWatchers: number;
  /** Messages that a slow watcher may be behind before it is ended with RESOURCE_EXHAUSTED. */
  readonly maxBehind: number;
  /** Begins to send; what it returns ends that. */
  readonly subscribe: (send: (message: R) => void) => () => void;
  /** Ends all watches. */
  readonly shutdown: AbortSignal;
}

/** The response headers tell the client that it is listened for from then on. */
export function watchHandler<Q, R>(options: WatchHandlerOptions<R>): handleServerStreamingCall<Q, R> {
  const { maxWatchers, maxBehind, subscribe, shutdown } = options;
  let watchers = 0;
  return (call) => {
    const refuse = (code: status, details: string) =>
      call.destroy(Object.assign(new Error(details), { code, details }));
    if (watchers >= maxWatchers) return void refuse(status.RESOURCE_EXHAUSTED, 'too many watchers');
    watchers += 1;
    let behind = 0;
    const end = () => call.end();
    const unsubscribe = subscribe((message) => {
      if (behind >= maxBehind) return void refuse(status.RESOURCE_EXHAUSTED, 'the watcher does not keep up');
      behind += 1;
      call.write(message, () => {
        behind -= 1;
      });
    });
    shutdown.addEventListener('abort', end, { once: true });
    call.once('close', () => {
      watchers -= 1;
      unsubscribe();
      shutdown.removeEventListener('abort', end);
    });
    call.sendMetadata(new Metadata());
  };
}
