const SAME_KIND_EVERY_MS = 10_000;
const MAX_KINDS = 1_000;

/**
 * Which refusals are written down, since anybody can cause any number of them: some in a second, one of a kind every 10 s, and each
 * says how many of its kind came before it unwritten. The kinds are bounded; the one quiet for longest is forgotten first.
 */
export class RefusalSampler {
  readonly #perSecond: number;
  readonly #kinds = new Map<string, { writtenAtMs: number; suppressed: number }>();
  #windowStartMs = 0;
  #inWindow = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** @returns how many of this kind were not written since the last one; undefined: this one is not to be written either */
  take(name: string, nowMs: number): number | undefined {
    const kind = this.#kinds.get(name) ?? { writtenAtMs: Number.NEGATIVE_INFINITY, suppressed: 0 };
    // A clock that was set back begins anew.
    const sinceMs = Math.abs(nowMs - kind.writtenAtMs);
    if (sinceMs < SAME_KIND_EVERY_MS || !this.#mayWrite(nowMs)) {
      kind.suppressed += 1;
      if (this.#kinds.has(name) || this.#kinds.size < MAX_KINDS) this.#kinds.set(name, kind);
      return undefined;
    }
    this.#kinds.delete(name);
    this.#kinds.set(name, { writtenAtMs: nowMs, suppressed: 0 });
    if (this.#kinds.size > MAX_KINDS) {
      for (const oldest of this.#kinds.keys()) {
        this.#kinds.delete(oldest);
        break;
      }
    }
    return kind.suppressed;
  }

  #mayWrite(nowMs: number): boolean {
    if (Math.abs(nowMs - this.#windowStartMs) >= 1_000) {
      this.#windowStartMs = nowMs;
      this.#inWindow = 0;
    }
    this.#inWindow += 1;
    return this.#inWindow <= this.#perSecond;
  }
}
