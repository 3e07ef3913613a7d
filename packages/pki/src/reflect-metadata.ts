/**
 * The three functions of the decorator-metadata proposal that @peculiar/x509's dependency container calls, put on
 * `Reflect` unless the real polyfill is there already. It must be imported before `@peculiar/x509`, which refuses to load
 * without them. It knows nothing of certificates.
 */

type Metadata = Map<unknown, unknown>;

interface MetadataApi {
  getMetadata?: (key: unknown, target: object) => unknown;
  getOwnMetadata?: (key: unknown, target: object) => unknown;
  defineMetadata?: (key: unknown, value: unknown, target: object) => void;
}

const store = new WeakMap<object, Metadata>();
const reflect: typeof Reflect & MetadataApi = Reflect;

if (reflect.getMetadata === undefined) {
  reflect.defineMetadata = (key, value, target) => {
    const entries = store.get(target) ?? new Map<unknown, unknown>();
    entries.set(key, value);
    store.set(target, entries);
  };
  reflect.getOwnMetadata = (key, target) => store.get(target)?.get(key);
  reflect.getMetadata = (key, target) => {
    for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at)) {
      const entries = store.get(at);
      if (entries?.has(key)) return entries.get(key);
    }
    return undefined;
  };
}
