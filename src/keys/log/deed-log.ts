import type { LogPage, LogText } from "./key-log.ts";

/** A place in the chain of deeds: the number of an entry, and the digest of its canonical text. */
export type ChainPlace = { readonly sequence: number; readonly digest: string };

/** The first place at which the chain does not hold. */
export type BrokenLink = {
  readonly sequence: number;
  /** The entry's id, as in a page. */
  readonly id: string;
  /** A sentence for the operator. */
  readonly reason: string;
};

export type ChainCheck = {
  readonly intact: boolean;
  /** Entries that were looked at. */
  readonly checked: number;
  /** The oldest entry that is kept; those before it were let go of when their time was over. */
  readonly first: number;
  /** The newest entry. Whoever notes it elsewhere can prove later that nothing before it was changed. */
  readonly head: ChainPlace;
  readonly broken: BrokenLink | null;
};

/**
 * What operators did: each entry names the digest of the one before, and it is kept by time, so that nothing that anybody else
 * causes pushes it out. The newest 1,000 entries stay, whatever the clock says.
 */
export type DeedLog = {
  /**
   * All of the entries or none, on disk when the promise resolves. Several processes on one store append to one chain.
   * @returns the bytes of all entries
   * @throws TypeError for another form of `at`, RangeError for a text that is too long
   */
  append(entries: readonly LogText[]): Promise<{ readonly bytes: number }>;

  /**
   * Newest first. `limit`: 1 to 1000. `before`: the id of an entry, whether it is still there or not.
   * @throws InvalidCursorError, RangeError
   */
  page(options: { readonly limit: number; readonly before?: string | undefined }): Promise<LogPage>;

  /**
   * Looks at every link. With `known`, a place that was noted before, also whether the entry there is still the one that was noted.
   * @throws RangeError for a place of another form
   */
  verify(known?: ChainPlace): Promise<ChainCheck>;

  /**
   * Moves the entries of the bounded log that are deeds to the beginning of the chain, once for each store: versions before
   * kept both in one log.
   */
  adopt(isDeed: (text: string) => boolean): Promise<void>;
};
