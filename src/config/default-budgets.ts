import { shareOfMemory } from "../lib/memory-share.ts";

type Share = { readonly of: readonly [number, number]; readonly most: number; readonly bytesEach: number };

/** By default a share of the memory that the process has, in things of so many bytes each. */
export const BUDGET_SHARES = {
  maxHistoryBytes: { of: [3, 16], most: 256 * 1024 * 1024, bytesEach: 1 },
  maxDisconnectedBytes: { of: [1, 16], most: 256 * 1024 * 1024, bytesEach: 1 },
  maxWaitingBytes: { of: [1, 8], most: 256 * 1024 * 1024, bytesEach: 1 },
  maxUnsentBytes: { of: [1, 8], most: 256 * 1024 * 1024, bytesEach: 1 },
  // A channel with a member on this node takes about 2,200 bytes, and each membership 750: more with long names.
  maxChannels: { of: [1, 8], most: 1_000_000, bytesEach: 3_000 },
  maxMemberships: { of: [1, 4], most: 10_000_000, bytesEach: 1_000 },
  // A channel without members, and a message id with its position, with names of medium length.
  maxIdleChannels: { of: [1, 32], most: 100_000, bytesEach: 600 },
  maxMessageIds: { of: [1, 32], most: 100_000, bytesEach: 500 },
} satisfies Record<string, Share>;

/** What a budget is where nobody sets it. */
export function defaultBudget(name: keyof typeof BUDGET_SHARES): number {
  const { of, most, bytesEach } = BUDGET_SHARES[name];
  return shareOfMemory(of[0] / of[1], most, bytesEach);
}
