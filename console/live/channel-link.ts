/** A channel's page. Its name is no part of the path, for it may hold what a path may not. */
export function channelLink(name: string): string {
  return `/live/channel?name=${encodeURIComponent(name)}`;
}
