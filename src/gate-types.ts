import type { Verdict } from "./connection-registry.ts";
import type { Caller } from "./limits/index.ts";
import type { AccessRequest, Check } from "./policy/index.ts";

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
