import { either, isFlag, isNothing, isNumber, isText, listOf, objectOf, orNull } from "./shape.ts";
import type { ChannelMessage, Denial, Sample, Snapshot } from "./types.ts";

/** What the live stream says: each of its events. */
export const isSample = objectOf<Sample>({
  at: isText,
  connections: isNumber,
  channels: isNumber,
  memberships: isNumber,
  connectsPerSecond: isNumber,
  closesPerSecond: isNumber,
  publishedPerSecond: isNumber,
  deliveredPerSecond: isNumber,
  deniedPerSecond: isNumber,
  rssBytes: isNumber,
  loopDelayMs: isNumber,
  overloadStage: isNumber,
  overloadCauses: listOf(isText),
});
export const isSnapshot = objectOf<Snapshot>({
  at: isText,
  version: isText,
  startedAt: isText,
  now: isSample,
  samples: listOf(isSample),
});
export const isKeyChange = objectOf<{ readonly id: string }>({ id: isText });
export const isDenial = objectOf<Denial>({
  id: isText,
  at: isText,
  firstAt: isText,
  count: isNumber,
  code: isText,
  message: isText,
  keyId: orNull(isText),
  keyName: orNull(isText),
  action: isText,
  origin: orNull(isText),
  address: orNull(isText),
  endpoint: orNull(isText),
  channel: orNull(isText),
});
type Sender = NonNullable<ChannelMessage["from"]>;
const isSender = either(
  objectOf<Extract<Sender, { readonly id: string }>>({ id: isText, clientId: isText }),
  objectOf<Extract<Sender, { readonly id: null }>>({
    id: isNothing,
    clientId: isNothing,
    key: orNull(isText),
  }),
);
export const isMessage = objectOf<ChannelMessage>({
  channel: isText,
  eventName: isText,
  id: isText,
  from: orNull(isSender),
  timestamp: isNumber,
  epoch: isText,
  offset: isNumber,
  text: isText,
  truncated: isFlag,
});
export const isDropped = objectOf<{ readonly count: number }>({ count: isNumber });
