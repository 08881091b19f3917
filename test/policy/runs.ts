/** Cases of one property: 100,000 in CI, fewer at the desk; SLUICE_PROPERTY_RUNS overrides both. */
export const RUNS = Number(process.env.SLUICE_PROPERTY_RUNS ?? (process.env.CI ? 100_000 : 10_000));

/** Milliseconds for one property of that many cases. */
export const PROPERTY_TIMEOUT_MS = 120_000;
