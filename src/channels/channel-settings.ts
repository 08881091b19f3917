/** How many messages of a channel are kept, and for how long: whichever ends first. */
export type HistoryWindow = { readonly size: number; readonly seconds: number };

/** What the configuration says about the channels of a pattern. */
export type ChannelSettings = {
  /** Segments split at `:`; `*` is one segment, a final `**` is one or more. */
  readonly pattern: string;
  readonly history?: HistoryWindow | undefined;
};

/** Enough for a client that comes back within two minutes, where nothing else is set. */
export const DEFAULT_HISTORY: HistoryWindow = { size: 1_000, seconds: 120 };

/** The history window of a channel: that of the first pattern that matches, else the default. */
export function historyWindowOf(settings: readonly ChannelSettings[], channel: string): HistoryWindow {
  for (const { pattern, history } of settings) {
    if (history !== undefined && matches(pattern, channel)) return history;
  }
  return DEFAULT_HISTORY;
}

function matches(pattern: string, channel: string): boolean {
  if (pattern === "**") return true;
  const wanted = pattern.split(":");
  const given = channel.split(":");
  const isOpen = wanted.at(-1) === "**";
  if (isOpen ? given.length < wanted.length : given.length !== wanted.length) return false;
  return wanted.every(
    (segment, index) =>
      segment === "*" || (isOpen && index === wanted.length - 1) || segment === given[index],
  );
}
