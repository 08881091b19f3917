import { digestOf, isPossibleSecret } from "../keys/index.ts";

/** Secrets of one period whose digest is remembered. */
const MAX_RECENT = 64;
const PERIOD_MS = 5_000;

/**
 * Digests of the secrets that are presented again and again: checking a secret's form and hashing it costs more than the
 * decision about it. A secret stays here in clear for at most {@link PERIOD_MS}, about as long as the headers that brought it
 * stay in memory anyway, and there are at most {@link MAX_RECENT}. Comparing it is no oracle: the map compares texts
 * only where their seeded hashes are equal.
 */
export class RecentDigests {
  readonly #digests = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;

  /** The digest to look a secret up by; undefined for what could never be a secret. */
  of(secret: string): string | undefined {
    const known = this.#digests.get(secret);
    if (known !== undefined) return known;
    if (!isPossibleSecret(secret)) return undefined;
    const digest = digestOf(secret);
    if (this.#digests.size < MAX_RECENT) this.#digests.set(secret, digest);
    this.#timer ??= setTimeout(() => this.close(), PERIOD_MS).unref();
    return digest;
  }

  /** Forget all of them. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#digests.clear();
  }
}
