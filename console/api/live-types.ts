export type Sample = {
  readonly at: string;
  readonly connections: number;
  readonly channels: number;
  readonly memberships: number;
  readonly connectsPerSecond: number;
  readonly closesPerSecond: number;
  readonly publishedPerSecond: number;
  readonly deliveredPerSecond: number;
  readonly deniedPerSecond: number;
  readonly rssBytes: number;
  readonly loopDelayMs: number;
};
export type Denial = {
  readonly id: string;
  readonly at: string;
  readonly firstAt: string;
  readonly count: number;
  readonly code: string;
  readonly message: string;
  readonly keyId: string | null;
  readonly keyName: string | null;
  readonly action: string;
  readonly origin: string | null;
  readonly address: string | null;
  readonly endpoint: string | null;
  readonly channel: string | null;
};
export type ChannelMessage = {
  readonly channel: string | null;
  readonly eventName: string;
  readonly id: string;
  readonly from: { readonly id: string; readonly clientId: string } | null;
  readonly timestamp: number;
  readonly epoch?: string;
  readonly offset?: number;
  readonly text: string;
  readonly truncated: boolean;
};
export type Snapshot = {
  readonly at: string;
  readonly startedAt: string;
  readonly version: string;
  readonly now: Sample;
  readonly samples: readonly Sample[];
};
