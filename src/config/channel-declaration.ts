/**
 * Settings of the channels of a pattern. `history` of size 0 keeps none; in a channel of more than `presence.maxMembers`
 * only the number of members is told; `presence: false` neither tells nor lists them.
 */
export type ChannelDeclaration = {
  readonly pattern: string;
  readonly history?: { readonly size: number; readonly seconds: number };
  readonly presence?: { readonly maxMembers: number } | false;
};
