import type { KeyStore } from "../keys/index.ts";
import type { Logger } from "../observe/log.ts";
import type { Traffic } from "../observe/traffic.ts";
import type { AccessRequest, Check } from "../policy/index.ts";
import type { Verdict } from "./connection-registry.ts";
import type { Caller, Counters } from "./limits/index.ts";
import type { LiveKey } from "./live-keys.ts";

/** Who a request or a connection is: a key and the digest of the secret it came with, or nobody (keys not required). */
export type Identity = { readonly key: LiveKey; readonly digest: string } | { readonly key: null };

/** A refusal of a known key, as it is told to whoever keeps samples. */
export type GateDenial = {
  readonly code: string;
  readonly message: string;
  readonly keyId: string | null;
  readonly keyName: string | null;
  readonly request: AccessRequest | undefined;
  readonly whence?: Whence | undefined;
};

/** Where a request comes from. */
export type Whence = { readonly origin: string | undefined; readonly ip: string | null };

/** Someone who wants in, of whom only this is known yet. */
export type Unknown = { readonly whence: Whence | undefined };

/** The connection and the client that ask: a limit may count by them. */
export type Asker = Omit<Caller, "ip">;

export type Explanation = { readonly decision: Verdict; readonly checks: readonly Check[] };

export type GateOptions = {
  readonly keys: KeyStore;
  readonly keyRequired: boolean;
  readonly sweepSeconds: number;
  readonly log: Logger;
  readonly now?: () => number;
  /** Told of every refusal, on the hot path: must be quick. */
  readonly onDenied?: (denial: GateDenial) => void;
  /** Where decisions are counted. */
  readonly traffic?: Traffic;
  /** Where calls are counted; closed with the gate. By default in this process's memory. */
  readonly counters?: Counters;
};
