import type { QueryClient } from "@tanstack/react-query";
import type { Denial } from "./types.ts";

export type DenialList = { readonly items: readonly Denial[] };

export const DENIALS_MAX = 200;
const PAINT_MS = 250;

/** Puts refusals into the lists that show them as they happen: a few times a second, however many there are. */
export class DenialNews {
  readonly #queries: QueryClient;
  readonly #pending = new Map<string, Denial>();
  #timer: number | undefined;

  constructor(queries: QueryClient) {
    this.#queries = queries;
  }

  add(denial: Denial): void {
    // Once more is newer than what it was.
    this.#pending.delete(denial.id);
    this.#pending.set(denial.id, denial);
    this.#timer ??= window.setTimeout(() => this.#write(), PAINT_MS);
  }

  #write(): void {
    this.#timer = undefined;
    const fresh = [...this.#pending.values()].reverse();
    this.#pending.clear();
    for (const { queryKey } of this.#queries.getQueryCache().findAll({ queryKey: ["denials"] })) {
      const mine = fresh.filter(({ keyId }) => queryKey[1] === "" || queryKey[1] === keyId);
      this.#queries.setQueryData<DenialList>(queryKey, (list) =>
        list === undefined || mine.length === 0 ? list : { items: merged(mine, list.items) },
      );
    }
  }
}

function merged(fresh: readonly Denial[], known: readonly Denial[]): readonly Denial[] {
  const ids = new Set(fresh.map(({ id }) => id));
  return [...fresh, ...known.filter(({ id }) => !ids.has(id))].slice(0, DENIALS_MAX);
}
