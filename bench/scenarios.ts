import type { PeerKind } from "./peers/peer.ts";
import type { Goal } from "./report/comparison.ts";

/** Work that Sluice and its peers are given alike. */
export type Scenario = {
  readonly name: string;
  readonly title: string;
  readonly members: number;
  /** Publishes in flight, or a second. */
  readonly inFlight?: number;
  readonly rate?: number;
  readonly channels?: number;
  readonly each?: number;
  /** Sluice publishes with an id of its own each. */
  readonly ids?: boolean;
  readonly peers: Partial<Record<PeerKind, Goal | undefined>>;
};

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "1000-w32",
    title: "1,000 members, 32 publishes in flight",
    members: 1_000,
    inFlight: 32,
    peers: {
      "socket.io": { atLeast: 25 },
      nchan: { atLeast: 15 },
      uws: { atLeast: 0.9 },
      ws: undefined,
      nats: undefined,
    },
  },
  {
    name: "5000-w32",
    title: "5,000 members, 32 publishes in flight",
    members: 5_000,
    inFlight: 32,
    peers: { "socket.io": { atLeast: 20 }, uws: { atLeast: 0.75 }, nchan: undefined, nats: undefined },
  },
  {
    name: "2000x5-w64",
    title: "2,000 connections, 5 of 50 channels each, 64 publishes in flight",
    members: 2_000,
    channels: 50,
    each: 5,
    inFlight: 64,
    peers: { "socket.io": { atLeast: 6 }, uws: undefined },
  },
  {
    name: "1000-w1",
    title: "1,000 members, one publish in flight: nothing can be batched",
    members: 1_000,
    inFlight: 1,
    peers: {
      "socket.io": { atLeast: 1.1 },
      nchan: undefined,
      uws: undefined,
      ws: undefined,
      nats: undefined,
    },
  },
  {
    name: "1000-r3000",
    title: "1,000 members, 3,000 publishes a second on schedule",
    members: 1_000,
    rate: 3_000,
    peers: { nats: { lowerP99: true } },
  },
  {
    name: "history",
    title: "1,000 members, 32 in flight: ids and two minutes of history against neither",
    members: 1_000,
    inFlight: 32,
    ids: true,
    peers: { "sluice-bare": { atLeast: 0.85 } },
  },
];
