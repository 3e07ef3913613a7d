// What the parts of one dialog share: its data as they are now, what in it is open, and the way out for a request.
import { requestInDialog } from '../dialog/dialog-requests.js';
import type { DialogState } from '../dialog/dialog-state.js';
import type { ClientTransaction } from '../transaction/client-transaction.js';
import type { Flow } from '../transport/flow.js';
import { Acknowledgements } from './acknowledgements.js';
import type { DialogPath } from './dialog-path.js';
import { addressed } from './large-request.js';
import { OpenOffers } from './open-offers.js';
import { OpenRefers } from './refer.js';
import { bodyOf, type Content, requestHeaders, type UaCore } from './ua-core.js';

export class LiveDialog {
  readonly core: UaCore;
  readonly path: DialogPath;
  readonly acknowledgements = new Acknowledgements();
  readonly offers = new OpenOffers();
  readonly refers = new OpenRefers();
  /** The dialog as plain data, as it is now. */
  state: DialogState;
  readonly #onPlaced: () => void;

  /** @param onPlaced the dialog may have got another flow */
  constructor(core: UaCore, state: DialogState, path: DialogPath, onPlaced: () => void) {
    this.core = core;
    this.state = state;
    this.path = path;
    this.#onPlaced = onPlaced;
  }

  get over(): boolean {
    return this.state.state === 'terminated';
  }

  /** The flow for the next request. @throws SipError as DialogPath does */
  async outbound(signal?: AbortSignal): Promise<Flow> {
    const flow = await this.path.outbound(this.state, signal);
    this.#onPlaced();
    return flow;
  }

  /** Sends a request with the next CSeq number on a flow that `outbound` gave. */
  async sendOn(
    flow: Flow,
    method: string,
    content: Content & { readonly signal?: AbortSignal | undefined },
  ): Promise<ClientTransaction> {
    const headers = requestHeaders(this.core, method, content);
    const { dialog, request } = requestInDialog(this.state, method, { headers, body: bodyOf(content) });
    this.state = dialog;
    const { flow: on } = await addressed(this.core, flow, () => request, content.signal);
    return this.core.layer.request(request, on);
  }
}
