import type { Config } from "../config/config.ts";
import type { KeyStore } from "../keys/index.ts";
import type { Audit } from "../observe/audit.ts";
import type { Logger } from "../observe/log.ts";
import type { RecentDenials } from "../observe/recent-denials.ts";
import type { Traffic } from "../observe/traffic.ts";
import { Gate } from "./gate.ts";

type GateParts = {
  readonly keys: KeyStore;
  readonly audit: Audit;
  readonly traffic: Traffic;
  readonly denials: RecentDenials;
  readonly log: Logger;
};

/** The gate, whose refusals are counted and sampled. */
export function createGate(config: Config, { keys, audit, traffic, denials, log }: GateParts): Gate {
  const { keyRequired, keySweepSeconds } = config;
  return new Gate({
    keys,
    keyRequired,
    sweepSeconds: keySweepSeconds,
    log,
    traffic,
    onDenied: (denial) => {
      const { code, message, keyId, keyName, request, whence } = denial;
      traffic.deny(code);
      if (request?.endpoint !== undefined) traffic.endpoint(request.endpoint.id).denied += 1;
      const endpoint =
        request?.endpoint === undefined ? undefined : `${request.endpoint.method} ${request.endpoint.path}`;
      const denied = {
        code,
        keyId,
        action: request?.action ?? "authenticate",
        origin: (request ?? whence)?.origin ?? null,
        ip: (request ?? whence)?.ip ?? null,
        endpoint,
        channel: request?.channel,
      };
      audit.denied(denied);
      denials.note({ ...denied, message, keyName });
    },
  });
}
