import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Gate } from "../../gate/index.ts";
import type { OverloadState } from "../../overload/index.ts";
import type { OutboundBounds } from "../flow/outbound.ts";
import type { Reading } from "../flow/reading.ts";

export type DoorOptions = {
  readonly gate: Gate;
  readonly addressOf: (request: IncomingMessage) => string | null;
  readonly apiKeyInQuery: boolean;
  readonly connectTimeoutMs: number;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly maxPendingPerAddress: number;
  readonly outbound: OutboundBounds;
  readonly overload: OverloadState;
  /** Told of each TCP connection of a client whose CONNECT was accepted. */
  readonly prove: (tcp: Duplex, keyId?: string) => void;
  readonly reading: Reading;
};
