// Who depends on which connection, so that the end of one connection costs only what hangs on it.

/** A many-to-one index from flows to the things that live on them. */
export class FlowIndex<Flow extends object, Item> {
  readonly #items = new Map<Flow, Set<Item>>();

  add(flow: Flow, item: Item): void {
    const items = this.#items.get(flow);
    if (items === undefined) this.#items.set(flow, new Set([item]));
    else items.add(item);
  }

  delete(flow: Flow, item: Item): void {
    const items = this.#items.get(flow);
    if (items?.delete(item) && items.size === 0) this.#items.delete(flow);
  }

  /** The items of a flow as they are now; the result may be walked while items are added and deleted. */
  of(flow: Flow): readonly Item[] {
    return [...(this.#items.get(flow) ?? [])];
  }

  clear(): void {
    this.#items.clear();
  }
}
