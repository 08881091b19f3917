import type { Slices, Steps } from "../../lib/slices.ts";
import type { NamesPage, SortedNames } from "../../lib/sorted-names.ts";

export type ChannelSummary = { readonly channel: string; readonly members: number };
export type ChannelListRequest = NamesPage & {
  /** Whose question it is: owners take turns. */
  readonly owner: string;
  readonly isWanted: (channel: string) => boolean;
};
export type ChannelList = {
  readonly items: readonly ChannelSummary[];
  /** The `after` with which the list goes on; null at its end. */
  readonly next: string | null;
};

/** This node's channels, and what doing it may take. */
type Source = {
  readonly names: SortedNames;
  readonly membersOf: (channel: string) => number;
  readonly slices: Slices;
};
type Found = { readonly items: ChannelSummary[]; next: string | null };

/** Names that are looked at in one step. */
const STEP = 50;
/** Questions of one owner that may wait. */
const MAX_OPEN = 64;

/** The wanted ones of this node's channels, in the order of their names. @returns `busy` when too many questions of the owner wait. */
export async function listChannels(
  source: Source,
  request: ChannelListRequest,
): Promise<ChannelList | "busy"> {
  if (source.slices.openOf(request.owner) >= MAX_OPEN) return "busy";
  const found: Found = { items: [], next: null };
  await source.slices.run(request.owner, look(source, request, found));
  return found;
}

function* look(
  { names: all, membersOf }: Source,
  { prefix, after, limit, isWanted }: ChannelListRequest,
  found: Found,
): Steps {
  const { items } = found;
  let last = after;
  for (;;) {
    const names = all.page({ prefix, after: last, limit: STEP });
    for (const channel of names) {
      last = channel;
      if (!isWanted(channel)) continue;
      if (items.length === limit) {
        // A name that was listed: the last one that was looked at may be none of the caller's business.
        found.next = items.at(-1)?.channel ?? null;
        return;
      }
      items.push({ channel, members: membersOf(channel) });
    }
    if (names.length < STEP) return;
    yield;
  }
}
