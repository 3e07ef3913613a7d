/** SIP messages as a simulator sends and receives them, for whoever wants to watch. */
import { type Flow, parseMessage, type SipMessage, type Transports } from '@sidestream/sip';

/** One message on the wire. */
export interface TracedMessage {
  direction: 'sent' | 'received';
  message: SipMessage;
  /** The connection that it takes, see Flow. */
  flowId: string;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Tells `listener` every message of these transports; what is no SIP message is passed over. */
export function traceMessages(transports: Transports, listener: (traced: TracedMessage) => void): void {
  const tell = (direction: TracedMessage['direction'], bytes: Buffer, flow: Flow) => {
    try {
      listener({ direction, message: parseMessage(bytes), flowId: flow.id, at: Date.now() });
    } catch {
      // The user agent deals with malformed messages; a trace has nothing to add.
    }
  };
  transports.on('message', (bytes, flow) => tell('received', bytes, flow));
  transports.on('sent', (bytes, flow) => tell('sent', bytes, flow));
}
