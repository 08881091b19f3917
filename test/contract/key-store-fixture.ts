import { type KeyStorage, type KeyStore, type KeyStoreOptions, openKeyStore } from "../../src/keys/index.ts";

/** What a backend brings to the contract. Each test gets its own, empty. */
export type KeyStorageHarness = {
  open(): Promise<KeyStorage>;
  dispose(): Promise<void>;
};

/** An imported secret: not of our form. */
export const IMPORTED = "ak-0123456789abcdef0123456789abcdef";

/** A new store for each test, and the storage below it. */
export class KeyStoreFixture {
  readonly #createHarness: () => Promise<KeyStorageHarness>;
  #open: { harness: KeyStorageHarness; storage: KeyStorage; store: KeyStore } | undefined;

  constructor(createHarness: () => Promise<KeyStorageHarness>) {
    this.#createHarness = createHarness;
  }

  get store(): KeyStore {
    return this.#opened().store;
  }

  get storage(): KeyStorage {
    return this.#opened().storage;
  }

  /** Closes the store of before, if there is one, and opens an empty one. */
  async open(options?: KeyStoreOptions): Promise<void> {
    await this.close();
    const harness = await this.#createHarness();
    const storage = await harness.open();
    this.#open = { harness, storage, store: await openKeyStore(storage, options) };
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.store.close();
    await open?.harness.dispose();
  }

  /** Writes below the store. */
  async plant(key: string, text: string | undefined): Promise<void> {
    await this.storage.commit([{ key, text }]);
  }

  /** Another, empty storage. */
  async freshStorage(): Promise<{ storage: KeyStorage; dispose(): Promise<void> }> {
    const harness = await this.#createHarness();
    return { storage: await harness.open(), dispose: () => harness.dispose() };
  }

  #opened() {
    if (this.#open === undefined) throw new Error("no store is open");
    return this.#open;
  }
}

/** The error that a promise is rejected with; fails when it is another one or none. */
export async function rejects<E extends Error>(
  promise: Promise<unknown>,
  type: new (...details: never[]) => E,
): Promise<E> {
  const outcome = await promise.then(
    () => "nothing",
    (error: unknown) => error,
  );
  if (outcome instanceof type) return outcome;
  throw new Error(`expected ${type.name}`, { cause: outcome });
}

/** Lets everything run that is ready to run. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
