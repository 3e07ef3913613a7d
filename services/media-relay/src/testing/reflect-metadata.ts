// The three functions that @peculiar/x509's dependency container calls on Reflect. It refuses to load without them, so
// this is imported before it.
type Metadata = Map<unknown, unknown>;

interface MetadataApi {
  getMetadata?: (key: unknown, target: object) => unknown;
  getOwnMetadata?: (key: unknown, target: object) => unknown;
  defineMetadata?: (key: unknown, value: unknown, target: object) => void;
}

const store = new WeakMap<object, Metadata>();
const reflect: typeof Reflect & MetadataApi = Reflect;

reflect.defineMetadata ??= (key, value, target) => {
  const entries = store.get(target) ?? new Map<unknown, unknown>();
  store.set(target, entries.set(key, value));
};
reflect.getOwnMetadata ??= (key, target) => store.get(target)?.get(key);
reflect.getMetadata ??= (key, target) => {
  for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at)) {
    const entries = store.get(at);
    if (entries?.has(key)) return entries.get(key);
  }
  return undefined;
};
