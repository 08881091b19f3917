/**
 * A map of which most have one entry, and there are many: the first entry needs no Map, which takes 180 bytes. In the order in
 * which keys were set.
 */
export class SmallMap<V extends object> implements Iterable<[string, V]> {
  #key = "";
  #value: V | undefined;
  /** What was set while there was an entry. */
  #more: Map<string, V> | undefined;

  get size(): number {
    return (this.#value === undefined ? 0 : 1) + (this.#more?.size ?? 0);
  }

  get(key: string): V | undefined {
    return this.#value !== undefined && this.#key === key ? this.#value : this.#more?.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  set(key: string, value: V): void {
    if (this.#value === undefined ? this.#more === undefined : this.#key === key) {
      this.#key = key;
      this.#value = value;
      return;
    }
    this.#more ??= new Map();
    this.#more.set(key, value);
  }

  delete(key: string): boolean {
    if (this.#value !== undefined && this.#key === key) {
      this.#key = "";
      this.#value = undefined;
      return true;
    }
    const isDeleted = this.#more?.delete(key) === true;
    if (this.#more?.size === 0) this.#more = undefined;
    return isDeleted;
  }

  clear(): void {
    this.#key = "";
    this.#value = undefined;
    this.#more = undefined;
  }

  *keys(): Generator<string> {
    for (const [key] of this) yield key;
  }

  *[Symbol.iterator](): Generator<[string, V]> {
    if (this.#value !== undefined) yield [this.#key, this.#value];
    if (this.#more !== undefined) yield* this.#more;
  }
}
