/** Work is counted in microseconds of processor, roughly: what a request and a delivery cost on a machine of today. */
export const REQUEST_COST = 20;
/** Bytes that cost as much as one microsecond to read, parse and copy. */
export const BYTES_PER_COST = 256;

/** Half of what an owner did is forgotten after this time. */
const HALF_LIFE_MS = 5_000;

/** Below this, what is left of past work is forgotten. */
const FORGET_BELOW = 1;

/**
 * What one owner (an API key by its id, connections without a key by their address group) made this node do lately. On the hot
 * path a number is added to; everything else happens when the guard looks.
 */
export class LoadAccount {
  readonly name: string;
  /** Work since the guard looked last. */
  recent = 0;
  /** Decaying sum of the work before. */
  score = 0;
  /** Its connections are being closed because it weighs most: what it asks for anew is refused. */
  isShed = false;
  readonly #ledger: LoadLedger;

  constructor(name: string, ledger: LoadLedger) {
    this.name = name;
    this.#ledger = ledger;
  }

  /** Adds work; see {@link REQUEST_COST}. */
  add(cost: number): void {
    if (this.recent === 0) this.#ledger.note(this);
    this.recent += cost;
  }
}

/**
 * The owners that worked lately. Owns their accounts from their first work until it is forgotten; at most `maxAccounts`, beyond
 * which further ones are not counted. Several accounts may have one name: keyless connections of an address have one each.
 */
export class LoadLedger {
  readonly #accounts = new Set<LoadAccount>();
  readonly #maxAccounts: number;

  constructor(maxAccounts = 100_000) {
    this.#maxAccounts = maxAccounts;
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** An account has its first work since the guard looked. */
  note(account: LoadAccount): void {
    if (this.#accounts.size < this.#maxAccounts) this.#accounts.add(account);
  }

  /** Lets past work fade by the time since the last call, and adds the recent. */
  decay(elapsedMs: number): void {
    const factor = 0.5 ** (elapsedMs / HALF_LIFE_MS);
    for (const account of this.#accounts) {
      account.score = account.score * factor + account.recent;
      account.recent = 0;
      if (account.score >= FORGET_BELOW) continue;
      account.score = 0;
      account.isShed = false;
      this.#accounts.delete(account);
    }
  }

  /** What each owner did lately, by name. */
  byOwner(): Map<string, number> {
    const owners = new Map<string, number>();
    for (const { name, score, recent } of this.#accounts)
      owners.set(name, (owners.get(name) ?? 0) + score + recent);
    return owners;
  }

  /** From now on, what the owner of this name asks for anew is refused; undefined: nobody is. */
  markShed(name: string | undefined): void {
    for (const account of this.#accounts) account.isShed = account.name === name;
  }
}
