import { type ChildProcess, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { endNow, spawnOn } from "../processes.ts";

const Connected = Type.Object({
  phase: Type.Literal("connected"),
  ready: Type.Number(),
  failed: Type.Number(),
  seconds: Type.Number(),
  /** Processor time of the server meanwhile. */
  serverSeconds: Type.Number(),
  p50Us: Type.Number(),
  p99Us: Type.Number(),
});
const Measured = Type.Object({
  phase: Type.Literal("measured"),
  deliveriesPerSecond: Type.Number(),
  deliveriesPerServerSecond: Type.Number(),
  publishesPerSecond: Type.Number(),
  /** Share of a core, of the server and of the load client. */
  serverLoad: Type.Number(),
  clientLoad: Type.Number(),
  p50Us: Type.Number(),
  p99Us: Type.Number(),
  maxUs: Type.Number(),
  ready: Type.Number(),
  closed: Type.Number(),
  stalls: Type.Number(),
  offsetFaults: Type.Number(),
  /** With a rate: how late the next publish is. */
  behindMs: Type.Number(),
});
const readConnected = Compile(Connected);
const readMeasured = Compile(Measured);

export type Connected = Static<typeof Connected>;
export type Measured = Static<typeof Measured>;

const COMPILE_LIMIT_MS = 120_000;
const SOURCES = ["load-client.cpp", "connection.hpp", "histogram.hpp", "options.hpp", "process-times.hpp"];
const FOLDER = fileURLToPath(new URL("../../.build/bench/", import.meta.url));

/** Build the load client, unless it is there. Returns undefined, with the reason said, where it cannot be built. */
export function buildLoadClient(): string | undefined {
  const files = SOURCES.map((name) => fileURLToPath(new URL(`./${name}`, import.meta.url)));
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  const binary = join(FOLDER, `load-client-${hash.digest("hex").slice(0, 12)}`);
  if (existsSync(binary)) return binary;
  mkdirSync(FOLDER, { recursive: true });
  const unfinished = `${binary}.${process.pid}`;
  try {
    const args = ["-O2", "-std=c++17", ...files.slice(0, 1), "-o", unfinished];
    execFileSync("g++", args, { stdio: "pipe", timeout: COMPILE_LIMIT_MS });
    renameSync(unfinished, binary);
    return binary;
  } catch (error) {
    console.log(`skipped: the load client needs g++: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

/** A run of the load client, on the second core. It ends with its input. */
export class LoadClient {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  constructor(binary: string, args: readonly string[]) {
    const child = spawnOn(1, binary, args, { stdio: ["pipe", "pipe", "inherit"] });
    if (child.stdout === null) throw new Error("the load client has no output");
    this.#process = child;
    this.#reader = createInterface(child.stdout);
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Resolves when all connections are ready. @throws when one of them failed */
  async connected(): Promise<Connected> {
    const connected = readConnected.Parse(await this.#next());
    if (connected.failed > 0) throw new Error(`${connected.failed} connections failed`);
    return connected;
  }

  /** The next report; undefined when the run is over. */
  async measured(): Promise<Measured | undefined> {
    const line = await this.#next();
    return line === undefined ? undefined : readMeasured.Parse(line);
  }

  async stop(): Promise<void> {
    this.#reader.close();
    await endNow(this.#process);
  }

  async #next(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : JSON.parse(value);
  }
}
