/** Stops listening. Calling it again does nothing. */
export type Off = () => void;

type Listener<T> = { readonly fn: (payload: T) => void; readonly once: boolean };

/**
 * Listeners by name, on a Map of our own: an emitter library gives names such as `connect` or `newListener`
 * a meaning, and an object gives one to `__proto__`.
 */
export class Listeners<T> {
  readonly #byName = new Map<string, Listener<T>[]>();

  add(name: string, fn: (payload: T) => void, once = false): Off {
    const listener: Listener<T> = { fn, once };
    this.#byName.set(name, [...(this.#byName.get(name) ?? []), listener]);
    return () => this.#remove(name, (other) => other === listener);
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Without `fn`, every listener of that name. */
  remove(name: string, fn?: (payload: T) => void): void {
    this.#remove(name, (other) => fn === undefined || other.fn === fn);
  }

  /** A listener that throws does not keep the others from being called: its error surfaces as uncaught. */
  emit(name: string, payload: T): void {
    for (const listener of this.#byName.get(name) ?? []) {
      if (listener.once) this.#remove(name, (other) => other === listener);
      call(listener.fn, payload);
    }
  }

  #remove(name: string, matches: (listener: Listener<T>) => boolean): void {
    const kept = (this.#byName.get(name) ?? []).filter((listener) => !matches(listener));
    if (kept.length > 0) this.#byName.set(name, kept);
    else this.#byName.delete(name);
  }
}

/** One kind of event with one payload. */
export class Signal<T> {
  readonly #listeners = new Listeners<T>();

  add(fn: (payload: T) => void): Off {
    return this.#listeners.add("", fn);
  }

  get hasListeners(): boolean {
    return this.#listeners.has("");
  }

  emit(payload: T): void {
    this.#listeners.emit("", payload);
  }
}

function call<T>(fn: (payload: T) => void, payload: T): void {
  try {
    fn(payload);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
