// A dialer may come from an instance that has read the stream a moment further: what it knows already is on its way here, too.
import type { SellerKey } from '../domain/dialer-event.js';
import type { DialerLog } from '../domain/dialer-log.js';

const arrivalMs = 2_000;

/** Resolves at once unless this id is ahead of what was read; else when it has come, or would have come by now if it were to. */
export async function arrivalOf(id: string, seller: SellerKey, log: DialerLog): Promise<void> {
  if (log.after(seller, id) !== 'ahead') return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      cancel();
      resolve();
    }, arrivalMs);
    const cancel = log.whenReached(id, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
