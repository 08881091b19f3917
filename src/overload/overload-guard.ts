import { performance } from "node:perf_hooks";
import type { Logger } from "../observe/log.ts";
import type { Refusal } from "../protocol/index.ts";
import { DescriptorUsage } from "./descriptor-usage.ts";
import { HeapUsage } from "./heap-usage.ts";
import type { LoadLedger } from "./load-account.ts";
import { LoopDelay } from "./loop-delay.ts";
import { type OverloadCause, OverloadStages, type OverloadThresholds } from "./overload-stages.ts";
import { type OverloadStage, type OverloadState, refuseOverloaded } from "./overload-state.ts";
import { ProcessMemory } from "./process-memory.ts";
import { chooseShedding, type OwnerLoad } from "./shedding.ts";

/** The open connections, by who owns them. */
export interface SheddableConnections {
  /** What each owner has; asked only while connections are to be closed. */
  holdings(): Iterable<Omit<OwnerLoad, "work">>;
  /** Ends so many of an owner's connections, those that hold most first. @returns how many it ended */
  shed(owner: string, count: number, refusal: () => Refusal): number;
}

export type OverloadGuardOptions = {
  readonly thresholds: OverloadThresholds;
  /** Off: everything is measured and shown, and the stage stays 0. */
  readonly isEnabled: boolean;
  readonly ledger: LoadLedger;
  /** TCP connections that the listeners know. */
  readonly openSockets: () => number;
  readonly log: Logger;
};

/** How the node stands, for its operators. */
export type OverloadView = {
  readonly stage: OverloadStage;
  /** When the stage changed last; null before it ever did. */
  readonly since: string | null;
  readonly causes: readonly OverloadCause[];
  readonly heapLiveBytes: number;
  readonly heapLimitBytes: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly loopDelayMs: number;
  readonly descriptors: number;
  readonly descriptorLimit: number | null;
  /** Connections that were closed because their owner weighed most. */
  readonly shed: number;
};

const TICK_MS = 250;

/** Clients that are sent away come back over this time each, together at most over the maximum. */
const SPREAD_PER_CONNECTION_MS = 5;
const MIN_SPREAD_MS = 4_000;
const MAX_SPREAD_MS = 60_000;

/** Below this share of the limit, what lives is not what fills the memory: closing connections would free nothing. */
const LIVE_SHARE_TO_SHED = 0.5;

/**
 * Watches heap, resident memory, event-loop delay and descriptors of this node, and protects it in stages
 * ({@link OverloadStage}). Whoever lets something in looks at `stage`; closing connections is the guard's own.
 *
 * Owns one timer and its readings, until `close`.
 */
export class OverloadGuard implements OverloadState {
  stage: OverloadStage = 0;
  readonly heap = new HeapUsage();
  readonly memory = new ProcessMemory();
  readonly loopDelay = new LoopDelay();
  readonly descriptors: DescriptorUsage;
  readonly #options: OverloadGuardOptions;
  readonly #stages: OverloadStages;
  readonly #timer: NodeJS.Timeout;
  #connections: SheddableConnections | undefined;
  #atMs = performance.now();
  #since: string | null = null;
  #shed = 0;
  #shedAtReading = "";
  #ticks = 0;

  constructor(options: OverloadGuardOptions) {
    this.#options = options;
    this.#stages = new OverloadStages(options.thresholds);
    this.descriptors = new DescriptorUsage(options.openSockets);
    this.heap.onReading = () => this.#readHeap();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** Set once, by the composition root. */
  watch(connections: SheddableConnections): void {
    this.#connections = connections;
  }

  /** What asks for the present stage; nothing at stage 0. */
  get causes(): readonly OverloadCause[] {
    return this.#options.isEnabled ? this.#stages.causes : [];
  }

  view(): OverloadView {
    return {
      stage: this.stage,
      since: this.#since,
      causes: this.causes,
      heapLiveBytes: this.heap.liveBytes,
      heapLimitBytes: this.heap.limitBytes,
      memoryBytes: this.memory.residentBytes,
      memoryLimitBytes: this.memory.limitBytes,
      loopDelayMs: this.loopDelay.p50Ms,
      descriptors: this.descriptors.open,
      descriptorLimit: this.descriptors.limit ?? null,
      shed: this.#shed,
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.heap.close();
    this.memory.close();
    this.loopDelay.close();
    this.stage = 0;
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#options.ledger.decay(nowMs - this.#atMs);
    this.#atMs = nowMs;
    this.#ticks += 1;
    this.memory.read();
    this.descriptors.read();
    if (this.causes.some(({ resource }) => resource === "heap" || resource === "memory"))
      this.heap.collectIfStale();
    this.#stages.update("heap", this.heap.liveBytes / this.heap.limitBytes);
    this.#stages.update("memory", this.#memoryShare());
    if (this.loopDelay.take()) this.#stages.update("loopDelay", this.loopDelay.pressureMs);
    const { limit, open } = this.descriptors;
    if (limit !== undefined) this.#stages.update("descriptors", open / limit);
    this.#settle();
  }

  /** A collection is over: what lives is known exactly, and may not wait for the next tick. */
  #readHeap(): void {
    this.#stages.update("heap", this.heap.liveBytes / this.heap.limitBytes);
    this.#settle();
  }

  #memoryShare(): number {
    const { anonymousBytes, limitBytes } = this.memory;
    const share = Math.max(0, anonymousBytes - this.heap.uncertainBytes) / limitBytes;
    const isLive = this.heap.liveTotalBytes >= limitBytes * LIVE_SHARE_TO_SHED;
    const [, , third] = this.#options.thresholds.memory;
    return isLive ? share : Math.min(share, third * 0.999);
  }

  #settle(): void {
    const { stage } = this.#stages;
    const { isEnabled } = this.#options;
    if (!isEnabled) return;
    if (stage !== this.stage) this.#change(stage);
    if (stage === 3) this.#shedHeaviest();
  }

  #change(stage: OverloadStage): void {
    const before = this.stage;
    this.stage = stage;
    this.#since = new Date().toISOString();
    if (before === 3) this.#options.ledger.markShed(undefined);
    const { causes, ...figures } = this.view();
    const entry = { ...figures, before, causes };
    const { log } = this.#options;
    if (stage > before) log.warn(entry, MEASURES[stage]);
    else log.info(entry, stage === 0 ? MEASURES[0] : "the overload has become less");
  }

  /** One batch for each new reading of what is short: what the batch before freed has to show first. */
  #shedHeaviest(): void {
    const cause = this.#stages.causes[0]?.resource;
    if (cause === undefined || this.#connections === undefined) return;
    const reading = `${cause} ${this.#sequenceOf(cause)}`;
    if (reading === this.#shedAtReading) return;
    this.#shedAtReading = reading;
    const choice = chooseShedding(this.#owners(this.#connections), cause);
    if (choice === undefined) return;
    this.#options.ledger.markShed(choice.name);
    const spreadMs = Math.min(
      MAX_SPREAD_MS,
      Math.max(MIN_SPREAD_MS, choice.connections * SPREAD_PER_CONNECTION_MS),
    );
    const closed = this.#connections.shed(choice.name, choice.connections, () =>
      refuseOverloaded(undefined, spreadMs),
    );
    if (closed === 0) return;
    this.#shed += closed;
    this.#options.log.warn(
      { owner: choice.name, closed, cause },
      "connections of the heaviest owner were closed",
    );
  }

  #sequenceOf(cause: OverloadCause["resource"]): number {
    if (cause === "loopDelay") return this.loopDelay.sequence;
    if (cause === "descriptors") return Math.floor(this.#ticks / 4);
    return this.heap.sequence;
  }

  #owners(connections: SheddableConnections): OwnerLoad[] {
    const work = this.#options.ledger.byOwner();
    const owners: OwnerLoad[] = [];
    for (const holding of connections.holdings()) {
      owners.push({ ...holding, work: work.get(holding.name) ?? 0 });
      work.delete(holding.name);
    }
    // Those that call over HTTP alone have no connections, and weigh all the same.
    for (const [name, done] of work) owners.push({ name, connections: 0, heldBytes: 0, work: done });
    return owners;
  }
}

const MEASURES: Readonly<Record<OverloadStage, string>> = {
  0: "the overload is over: everything is taken again",
  1: "overloaded: new connections are refused",
  2: "overloaded: new connections, new memberships and large publishes are refused",
  3: "overloaded: connections of whoever weighs most are being closed",
};
