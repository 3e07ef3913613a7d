/** SIP messages as a simulator sends and receives them, for whoever wants to watch. */
import { parseMessage, type SipMessage, type Transports } from '@sidestream/sip';

/** One message on the wire. */
export interface TracedMessage {
  direction: 'sent' | 'received';
  message: SipMessage;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Tells `listener` every message of these transports; what is no SIP message is passed over. */
export function traceMessages(transports: Transports, listener: (traced: TracedMessage) => void): void {
  const tell = (direction: TracedMessage['direction'], bytes: Buffer) => {
    try {
      listener({ direction, message: parseMessage(bytes), at: Date.now() });
    } catch {
      // The user agent deals with malformed messages; a trace has nothing to add.
    }
  };
  transports.on('message', (bytes) => tell('received', bytes));
  transports.on('sent', (bytes) => tell('sent', bytes));
}
