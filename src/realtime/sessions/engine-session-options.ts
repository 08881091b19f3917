import type { Duplex } from "node:stream";
import type { Socket as EngineSocket } from "engine.io";
import type { PresentedKey } from "../../gate/index.ts";
import type { Slot } from "../admission/admission.ts";
import type { OutboundBounds } from "../flow/outbound.ts";
import type { Reading } from "../flow/reading.ts";

/** Where a request comes from: what the policy compares. */
export type Whence = { readonly origin: string | undefined; readonly ip: string | null };

export type EngineSessionOptions = {
  readonly conn: EngineSocket;
  /** Engine.IO's secret name of the connection. */
  readonly sid: string;
  readonly whence: Whence;
  readonly addressGroup: string;
  readonly slot: Slot;
  /** The key that came in the handshake's headers or query, until CONNECT uses it. */
  readonly presented: PresentedKey;
  /** The TCP connection of a WebSocket; polling has one per request. */
  readonly tcp: Duplex | undefined;
  readonly connectTimeoutMs: number;
  readonly outbound: OutboundBounds;
  readonly reading: Reading;
};
