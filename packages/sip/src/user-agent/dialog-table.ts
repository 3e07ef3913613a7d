// The live dialogs of a user agent, bounded, found by dialog id and by the connection that they use.
import { dialogId, dialogIdOf } from '../dialog/dialog-id.js';
import type { SipRequest } from '../message/sip-message.js';
import { FlowIndex } from '../transaction/flow-index.js';
import type { Flow } from '../transport/flow.js';
import type { UaDialog } from './ua-dialog.js';

export class DialogTable {
  readonly #max: number;
  readonly #byId = new Map<string, UaDialog>();
  readonly #flows = new Map<UaDialog, Flow>();
  readonly #byFlow = new FlowIndex<Flow, UaDialog>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#byId.size;
  }

  get full(): boolean {
    return this.#byId.size >= this.#max;
  }

  add(dialog: UaDialog): void {
    this.#byId.set(dialogId(dialog.state), dialog);
    this.place(dialog);
  }

  remove(dialog: UaDialog): void {
    const id = dialogId(dialog.state);
    if (this.#byId.get(id) === dialog) this.#byId.delete(id);
    this.#displace(dialog);
  }

  /** Notes which connection a dialog uses now. UDP is none that could close. */
  place(dialog: UaDialog): void {
    const { flow } = dialog;
    this.#displace(dialog);
    if (!flow?.reliable || this.#byId.get(dialogId(dialog.state)) !== dialog) return;
    this.#flows.set(dialog, flow);
    this.#byFlow.add(flow, dialog);
  }

  find(request: SipRequest): UaDialog | undefined {
    return this.#byId.get(dialogIdOf(request));
  }

  on(flow: Flow): readonly UaDialog[] {
    return this.#byFlow.of(flow);
  }

  all(): readonly UaDialog[] {
    return [...this.#byId.values()];
  }

  #displace(dialog: UaDialog): void {
    const flow = this.#flows.get(dialog);
    if (flow === undefined) return;
    this.#flows.delete(dialog);
    this.#byFlow.delete(flow, dialog);
  }
}
