/** What a key was used for, coarsely: counts of some seconds may be missing after a crash. */
export type KeyUsage = {
  /** ISO instant. */
  readonly lastUsedAt: string;
  readonly allowed: number;
  /** By denial code; those beyond the first 40 codes of a key, and what is no code, count as `other`. */
  readonly denied: Readonly<Record<string, number>>;
};

/** What happened since the last report, to be added to what is stored. */
export type UsageReport = KeyUsage & { readonly id: string };
