/** What is kept in the log. */
export type LogText = {
  /** ISO instant in UTC with milliseconds, as `toISOString` writes it. */
  readonly at: string;
  /** At most 16 KiB as UTF-8. */
  readonly text: string;
};

export type LogEntry = LogText & {
  /** Sorts by `at`, then, within one process, by the order of appending. */
  readonly id: string;
};

export type LogPage = {
  /** Newest first. */
  readonly items: readonly LogEntry[];
  /** Ids of this page whose entry cannot be read. */
  readonly unreadable: readonly string[];
  /** Pass it as `before` for the next page. Null at the end. */
  readonly next: string | null;
};

/** A bounded append-only log. Its oldest entries go when there are more than `maxLogEntries`. */
export type StoreLog = {
  /**
   * All of the entries or none. `durable`: they are on disk when the promise resolves; otherwise they can be read
   * then, and may be lost in a crash of the machine.
   * @throws TypeError for another form of `at`, RangeError for a text that is too long
   */
  append(entries: readonly LogText[], options: { readonly durable: boolean }): Promise<void>;

  /**
   * `limit`: 1 to 1000. `before`: the id of an entry, whether it is still there or not.
   * @throws InvalidCursorError, RangeError
   */
  page(options: { readonly limit: number; readonly before?: string | undefined }): Promise<LogPage>;
};
