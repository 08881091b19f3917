import { useEffect, useRef } from "react";
import { isDocument } from "./document.ts";

type Document = Readonly<Record<string, unknown>>;
/** Settings as they were when somebody began to change them, and as they are typed. */
export type Draft = { readonly base: Document; readonly mine: Document };

const KEPT = "sluice-draft";

/** What is typed on this page, kept over one reload of this tab. */
class Drafts {
  #source: { readonly page: string; readonly read: () => Draft | undefined } | undefined;

  hold(page: string, read: () => Draft | undefined): () => void {
    const source = { page, read };
    this.#source = source;
    return () => {
      if (this.#source === source) this.#source = undefined;
    };
  }

  keep(): void {
    const draft = this.#source?.read();
    if (this.#source === undefined || draft === undefined) return;
    try {
      sessionStorage.setItem(KEPT, JSON.stringify({ page: this.#source.page, ...draft }));
    } catch {
      // No room, or not allowed: then the browser's own question is all that there is.
    }
  }

  /** What was kept of this page. It is there once. */
  take(page: string): Draft | undefined {
    try {
      const kept: unknown = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
      if (!isDocument(kept) || kept["page"] !== page) return undefined;
      this.forget();
      const { base, mine } = kept;
      return isDocument(base) && isDocument(mine) ? { base, mine } : undefined;
    } catch {
      return undefined;
    }
  }

  forget(): void {
    try {
      sessionStorage.removeItem(KEPT);
    } catch {
      // Not allowed: then nothing was kept.
    }
  }
}

export const drafts = new Drafts();

/** Keeps what is typed on a page over a reload. `read`: undefined while nothing is. `resume`: with what was kept before. */
export function useDraft(page: string, read: () => Draft | undefined, resume: (draft: Draft) => void): void {
  const newest = useRef({ read, resume });
  newest.current = { read, resume };
  useEffect(() => {
    const draft = drafts.take(page);
    if (draft !== undefined) newest.current.resume(draft);
    return drafts.hold(page, () => newest.current.read());
  }, [page]);
}
