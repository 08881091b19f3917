import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type Connected, LoadClient, type Measured } from "./load/load-client.ts";
import type { Work } from "./load/scripts.ts";
import { PEERS, type Peer, type PeerKind, startPeer } from "./peers/peer.ts";
import { within } from "./processes.ts";

/** Longer than the longest of them takes on a slow machine. */
const LIMIT_MS = 180_000;

/** How much is published: so many in flight, or so many a second. */
export type Pressure = { readonly inFlight: number } | { readonly ratePerSecond: number };

export type FanOutWork = Work & {
  readonly members: number;
  readonly pressure: Pressure;
  readonly seconds: number;
};

/** Deliveries of a fresh server under a load client that publishes and counts. */
export function measureFanOut(loadClient: string, kind: PeerKind, work: FanOutWork): Promise<Measured> {
  const { members, pressure, seconds } = work;
  return withPeer(kind, work, async (peer) => {
    const load = new LoadClient(loadClient, [
      ...peer.loadArguments,
      ...["--members", String(members), "--sources", "4", "--warm", "1", "--seconds", String(seconds)],
      ...("inFlight" in pressure
        ? ["--in-flight", String(pressure.inFlight)]
        : ["--rate", String(pressure.ratePerSecond)]),
    ]);
    try {
      await load.connected();
      const measured = await load.measured();
      if (measured === undefined) throw new Error("the load client ended without a report");
      return measured;
    } finally {
      await load.stop();
    }
  });
}

/** By how many KiB each of so many connections, in one channel and idle for a while, makes a fresh server grow. */
export function measureMemory(
  loadClient: string,
  kind: PeerKind,
  connections: number,
  idleMs: number,
): Promise<number> {
  return withPeer(kind, { channels: 1, each: 1, ids: false }, async (peer) => {
    await delay(500);
    const before = residentKib(peer.pid);
    const load = openConnections(loadClient, peer, connections);
    try {
      await load.connected();
      // What connecting left over is collected as far as the server does that by itself.
      await delay(idleMs);
      return (residentKib(peer.pid) - before) / connections;
    } finally {
      await load.stop();
    }
  });
}

/** So many connections, in no channel, opened after others that have come and gone and compiled the program's paths. */
export function measureConnecting(
  loadClient: string,
  kind: PeerKind,
  connections: number,
  warmUp: number,
): Promise<Connected> {
  return withPeer(kind, { channels: 1, each: 0, ids: false }, async (peer) => {
    const first = openConnections(loadClient, peer, warmUp);
    await first.connected();
    await first.stop();
    // They go at once, and a server takes more than half a second to have done with them: that is not what is measured.
    await delay(2_000);
    const load = openConnections(loadClient, peer, connections);
    try {
      return await load.connected();
    } finally {
      await load.stop();
    }
  });
}

async function withPeer<T>(kind: PeerKind, work: Work, measure: (peer: Peer) => Promise<T>): Promise<T> {
  const peer = await startPeer(kind, work);
  try {
    return await within(LIMIT_MS, `${PEERS[kind]} is measured`, measure(peer));
  } finally {
    await peer.stop();
  }
}

function openConnections(loadClient: string, { loadArguments }: Peer, count: number): LoadClient {
  const opening = ["--connect-only", "--members", String(count), "--sources", "8", "--connecting", "50"];
  return new LoadClient(loadClient, [...loadArguments, ...opening]);
}

function residentKib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
}
