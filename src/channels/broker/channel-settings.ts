/** How many messages of a channel are kept, and for how long: whichever ends first. */
export type HistoryWindow = { readonly size: number; readonly seconds: number };

/** Up to how many members each of them is told who comes, changes and goes; above, only how many there are. */
export type PresenceSettings = { readonly maxMembers: number };

/** What the configuration says about the channels of a pattern. */
export type ChannelSettings = {
  /** Segments split at `:`; `*` is one segment, a final `**` is one or more. */
  readonly pattern: string;
  readonly history?: HistoryWindow | undefined;
  /** `false`: members are neither told of nor listed. */
  readonly presence?: PresenceSettings | false | undefined;
};

/** Enough for a client that comes back within two minutes, where nothing else is set. */
export const DEFAULT_HISTORY: HistoryWindow = { size: 1_000, seconds: 120 };

/** What each hears of all others grows with the square of their number. */
export const DEFAULT_PRESENCE: PresenceSettings = { maxMembers: 500 };

/** The history window of a channel: that of the first pattern that matches, else the default. */
export function historyWindowOf(settings: readonly ChannelSettings[], channel: string): HistoryWindow {
  for (const { pattern, history } of settings) {
    if (history !== undefined && matches(pattern, channel)) return history;
  }
  return DEFAULT_HISTORY;
}

/** Who hears of a channel's members: by the first pattern that matches, else by the default. */
export function presenceOf(settings: readonly ChannelSettings[], channel: string): PresenceSettings | false {
  for (const { pattern, presence } of settings) {
    if (presence !== undefined && matches(pattern, channel)) return presence;
  }
  return DEFAULT_PRESENCE;
}

/** In a channel of more members than this its members are not told of each other. */
export function maxWatchedOf(settings: readonly ChannelSettings[], channel: string): number {
  const presence = presenceOf(settings, channel);
  return presence === false ? 0 : presence.maxMembers;
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
