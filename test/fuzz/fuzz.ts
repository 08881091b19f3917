import { AttackedServer, OVERLOAD_ADMIN_TOKEN } from "../overload/attacked-server.ts";
import { ADMIN_REQUESTS, frame, PACKETS, REQUESTS } from "./corpus.ts";
import { mutate } from "./mutation.ts";
import { Random } from "./random.ts";
import { exchange, faultsIn } from "./sender.ts";

export type FuzzOutcome = { readonly inputs: number; readonly seed: number; readonly line: string };

const UPGRADE =
  "GET /realtime/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/** A text of the corpus as bytes, with this run's secrets. */
type Fill = (text: string) => Buffer;

const AT_ONCE = 64;
const HEAP_SLACK_BYTES = 24e6;
const SETTLE_MS = 30_000;

/**
 * Sends changed inputs to both listeners of a server in a process of its own, until the time is over: HTTP as bytes, WebSocket
 * frames behind a good handshake, Engine.IO payloads over polling. @throws when the process ends, an answer is a 5xx or
 * memory stays.
 */
export async function fuzz(seconds: number, seed: number): Promise<FuzzOutcome> {
  const random = new Random(seed);
  const server = await new AttackedServer({ heapMb: 512 }).start();
  try {
    const { secret } = await server.createKey({ name: "fuzz", endpoints: { mode: "full-access" } });
    const adminPort = Number(new URL(server.adminUrl).port);
    const fill = (text: string): Buffer =>
      Buffer.from(
        text
          .replaceAll("SECRET", secret)
          .replaceAll("ADMIN", OVERLOAD_ADMIN_TOKEN)
          .replaceAll("HOST", `127.0.0.1:${adminPort}`),
        "latin1",
      );
    // Everything is used and compiled once before memory is compared.
    for (const text of REQUESTS) await exchange(server.port, fill(text));
    for (const text of ADMIN_REQUESTS) await exchange(adminPort, fill(text));
    const before = await server.census();
    let inputs = 0;
    const one = async (): Promise<void> => {
      const kind = random.below(5);
      const other = fill(random.pick(PACKETS));
      let port = server.port;
      let bytes: Buffer;
      if (kind === 0) bytes = mutate(random, fill(random.pick(REQUESTS)), fill(random.pick(REQUESTS)));
      else if (kind === 1) {
        port = adminPort;
        bytes = mutate(random, fill(random.pick(ADMIN_REQUESTS)), fill(random.pick(ADMIN_REQUESTS)));
      } else if (kind === 2) bytes = framesOf(random, fill, other);
      else if (kind === 3) bytes = mutate(random, framesOf(random, fill, other), other);
      else bytes = await pollOf(server.port, random, fill, other);
      const answer = await exchange(port, bytes);
      inputs += 1;
      const [fault] = faultsIn(answer);
      if (fault !== undefined)
        throw new Error(
          `seed ${seed}, input ${inputs}: ${fault}\nwas answered to ${JSON.stringify(bytes.toString("latin1").slice(0, 3_000))}`,
        );
      if (server.end !== undefined)
        throw new Error(`seed ${seed}, input ${inputs}: the server ended: ${server.end}`);
    };
    const untilMs = performance.now() + seconds * 1_000;
    const lane = async (): Promise<void> => {
      while (performance.now() < untilMs) await one();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    if (
      !(await exchange(server.port, fill("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))).startsWith(
        "HTTP/1.1 200",
      )
    )
      throw new Error(`seed ${seed}: the server does not answer any more`);
    const settledMs = await settle(server, before.heapUsed + before.arrayBuffers, seed);
    return {
      inputs,
      seed,
      line: `${inputs} inputs, seed ${seed}, memory settled within ${(settledMs / 1_000).toFixed(0)} s`,
    };
  } finally {
    await server.stop();
  }
}

/** A good handshake, and then good and bad packets in frames. */
function framesOf(random: Random, fill: Fill, other: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from(UPGRADE, "latin1")];
  if (random.chance(0.8)) parts.push(frame(1, fill(PACKETS[0])));
  const count = 1 + random.below(6);
  for (let i = 0; i < count; i += 1) {
    const packet = fill(random.pick(PACKETS));
    const payload = random.chance(0.3) ? packet : mutate(random, packet, other).subarray(0, 60_000);
    parts.push(frame(random.chance(0.85) ? 1 : random.below(16), payload));
  }
  return Buffer.concat(parts);
}

/** A session over polling, and a POST of several packets of which some are changed. */
async function pollOf(port: number, random: Random, fill: Fill, other: Buffer): Promise<Buffer> {
  const opened = await exchange(
    port,
    Buffer.from("GET /realtime/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
  );
  const sid = /"sid":"([^"]+)"/.exec(opened)?.[1] ?? "none";
  const packets: Buffer[] = [fill(PACKETS[0])];
  const count = 1 + random.below(8);
  for (let i = 0; i < count; i += 1) {
    const packet = fill(random.pick(PACKETS));
    packets.push(Buffer.from("\x1e"), random.chance(0.4) ? packet : mutate(random, packet, other));
  }
  const body = Buffer.concat(packets);
  const head = `POST /realtime/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** @returns how long it took until the heap was as before. */
async function settle(server: AttackedServer, beforeBytes: number, seed: number): Promise<number> {
  const sinceMs = performance.now();
  for (;;) {
    const { heapUsed, arrayBuffers } = await server.census();
    const moreBytes = heapUsed + arrayBuffers - beforeBytes;
    if (moreBytes < HEAP_SLACK_BYTES) return performance.now() - sinceMs;
    if (performance.now() - sinceMs > SETTLE_MS)
      throw new Error(`seed ${seed}: ${(moreBytes / 1e6).toFixed(1)} MB more than before are held`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
