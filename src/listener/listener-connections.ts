import type { Duplex } from "node:stream";
import type { Config } from "../config/config.ts";
import { descriptorLimit } from "../lib/descriptor-limit.ts";
import { FairBudget } from "../lib/fair-budget.ts";
import type { Logger } from "../observe/log.ts";
import { proxyTest } from "./client-address.ts";
import { addressShare, adminShare, publicShare } from "./descriptor-shares.ts";
import { TcpConnections } from "./tcp-connections.ts";

/** How long an answer may wait for its reader without any progress. */
const STALLED_ANSWER_MS = 10_000;

/** Of the listener of `metricsPort`, which a few collectors use. */
const MAX_COLLECTORS = 16;

/** What operators are charged for together: nobody counts them apart. */
const OPERATORS = "operators";

/** Those of one listener, and what is told when a key was accepted on one of them. */
export type ListenerConnections = {
  readonly connections: TcpConnections;
  readonly prove: (socket: Duplex, keyId?: string) => void;
};

/** The TCP connections of both listeners, within what the limit of descriptors leaves room for as the server starts. */
export function tcpConnections(
  config: Config,
  log: Logger,
): {
  readonly public: ListenerConnections;
  readonly admin: ListenerConnections;
  readonly metrics: TcpConnections;
  readonly unsent: FairBudget;
} {
  const limit = descriptorLimit();
  const room = publicShare(limit);
  const { maxTcpConnections: wanted } = config;
  if (wanted > room)
    log.warn(
      { maxTcpConnections: wanted, openFiles: limit, used: room },
      "maxTcpConnections is more than the limit of open files leaves room for: raise that limit (ulimit -n)",
    );
  const unsent = new FairBudget(config.maxUnsentHttpBytes);
  const shared = {
    isProxy: proxyTest(config.trustedProxies),
    unsent,
    stalledAnswerMs: STALLED_ANSWER_MS,
    log,
  };
  const bounded = (maxConnections: number): TcpConnections =>
    new TcpConnections({
      ...shared,
      maxConnections,
      maxUnprovenPerAddress: addressShare(maxConnections),
    });
  const ofPublic = bounded(wanted === 0 ? room : Math.min(wanted, room));
  const ofAdmin = bounded(adminShare(limit));
  return {
    public: { connections: ofPublic, prove: (socket, keyId) => ofPublic.prove(socket, keyId) },
    metrics: bounded(MAX_COLLECTORS),
    unsent,
    admin: { connections: ofAdmin, prove: (socket) => ofAdmin.prove(socket, OPERATORS) },
  };
}
