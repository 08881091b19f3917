import { shareOfMemory } from "../lib/memory-share.ts";

/** What a node keeps and holds at most: see docs/configuration.md. */
export type MemoryBudgets = {
  /** What all histories together may take; whose messages take most give way first, as with the last two. */
  readonly maxHistoryBytes: number;
  /** What clients take that are gone and may come back. */
  readonly maxDisconnectedBytes: number;
  /** What may wait of the requests of all connections. */
  readonly maxWaitingBytes: number;
  /** What clients have not read of messages, counted once where they share it. */
  readonly maxUnsentBytes: number;
  /** Channels with members on this node, and memberships in all of them: beyond these, those above their fair share are refused. */
  readonly maxChannels: number;
  readonly maxMemberships: number;
  /** Channels without members that keep their position. */
  readonly maxIdleChannels: number;
  readonly maxMessageIds: number;
};

type Share = { readonly of: readonly [number, number]; readonly most: number; readonly bytesEach: number };

/** By default a share of the memory that the process has, in things of so many bytes each. */
export const BUDGET_SHARES: Readonly<Record<keyof MemoryBudgets, Share>> = {
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
};

/** Those that are set, and the defaults of the others. */
export function budgetsOf(set: Partial<MemoryBudgets>): MemoryBudgets {
  const budget = (name: keyof MemoryBudgets): number => {
    const { of, most, bytesEach } = BUDGET_SHARES[name];
    return set[name] ?? shareOfMemory(of[0] / of[1], most, bytesEach);
  };
  return {
    maxHistoryBytes: budget("maxHistoryBytes"),
    maxDisconnectedBytes: budget("maxDisconnectedBytes"),
    maxWaitingBytes: budget("maxWaitingBytes"),
    maxUnsentBytes: budget("maxUnsentBytes"),
    maxChannels: budget("maxChannels"),
    maxMemberships: budget("maxMemberships"),
    maxIdleChannels: budget("maxIdleChannels"),
    maxMessageIds: budget("maxMessageIds"),
  };
}
