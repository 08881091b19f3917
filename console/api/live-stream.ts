import { useEffect, useSyncExternalStore } from "react";
import type { ChannelMessage, Denial, Sample, Snapshot } from "./live-types.ts";
import { ApiError } from "./problem.ts";
import { queries } from "./queries.ts";
import { requestOnce } from "./request.ts";
import { session } from "./session.ts";

export type LiveState = {
  readonly status: "connecting" | "open" | "lost";
  readonly version: string | null;
  readonly startedAt: string | null;
  readonly samples: readonly Sample[];
};
type Tail = (event: ChannelMessage | { readonly dropped: number }) => void;

const SAMPLES_MAX = 300;
const RETRY_MS = 2_000;
const REFRESH_MS = 1_000;
/** A page that nobody looks at gives its connection back. */
const HIDDEN_MS = 60_000;

/**
 * The one stream of server-sent events of this page: totals, what changed, and one channel's messages. It comes back
 * by itself, also after a restart of the server and a new sign-in.
 */
class LiveStream {
  #state: LiveState = { status: "connecting", version: null, startedAt: null, samples: [] };
  #source: EventSource | undefined;
  #retry: number | undefined;
  #hidden: number | undefined;
  #refresh: number | undefined;
  readonly #stale = new Set<string>();
  #channel: string | null = null;
  #tail: Tail | undefined;
  #isRunning = false;
  readonly #listeners = new Set<() => void>();

  get state(): LiveState {
    return this.#state;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** @returns ends it */
  start(): () => void {
    this.#isRunning = true;
    this.#open();
    const onVisibility = (): void => {
      window.clearTimeout(this.#hidden);
      if (document.hidden) this.#hidden = window.setTimeout(() => this.#drop(), HIDDEN_MS);
      else if (this.#source === undefined) this.#open();
    };
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      this.#isRunning = false;
      document.removeEventListener("visibilitychange", onVisibility);
      window.clearTimeout(this.#hidden);
      this.#drop();
    };
  }

  /** Have one channel's messages as well. @returns ends it */
  watch(channel: string, tail: Tail): () => void {
    this.#channel = channel;
    this.#tail = tail;
    if (this.#isRunning) this.#open();
    return () => {
      if (this.#tail !== tail) return;
      this.#channel = null;
      this.#tail = undefined;
      if (this.#isRunning) this.#open();
    };
  }

  #open(): void {
    this.#drop();
    const query = this.#channel === null ? "" : `?channel=${encodeURIComponent(this.#channel)}`;
    const source = new EventSource(`/admin/v1/live${query}`);
    this.#source = source;
    const on = <T>(name: string, take: (data: T) => void): void => {
      source.addEventListener(name, ({ data }: MessageEvent<string>) => take(JSON.parse(data)));
    };
    on<Snapshot>("snapshot", (snapshot) => this.#begin(snapshot));
    on<Sample>("sample", (sample) => {
      const samples = [...this.#state.samples, sample].slice(-SAMPLES_MAX);
      this.#become({ ...this.#state, status: "open", samples });
    });
    on<{ id: string }>("key", ({ id }) => this.#markStale("keys", `key ${id}`));
    on("keys", () => this.#markStale("keys", "key"));
    on<Denial>("denial", () => this.#markStale("denials"));
    on<ChannelMessage>("message", (message) => this.#tail?.(message));
    on<{ count: number }>("dropped", ({ count }) => this.#tail?.({ dropped: count }));
    source.onerror = () => void this.#recover(source);
  }

  #begin({ startedAt, version, samples, now }: Snapshot): void {
    // Another process: what was read from the one before is old.
    const isNew = this.#state.startedAt !== null && this.#state.startedAt !== startedAt;
    const wasLost = this.#state.status === "lost";
    this.#become({ status: "open", version, startedAt, samples: samples.length > 0 ? samples : [now] });
    if (isNew || wasLost) void queries.invalidateQueries();
  }

  async #recover(source: EventSource): Promise<void> {
    if (this.#source !== source) return;
    this.#become({ ...this.#state, status: "lost" });
    // While it says "connecting", the browser tries again by itself.
    if (source.readyState !== EventSource.CLOSED) return;
    try {
      await requestOnce("/session");
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        session.missed();
        await session.renewed().catch(() => undefined);
        if (this.#isRunning && this.#source === source) this.#open();
        return;
      }
    }
    if (this.#source !== source) return;
    this.#retry = window.setTimeout(() => this.#open(), RETRY_MS);
  }

  #drop(): void {
    window.clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = undefined;
  }

  /** Many changes at once are one refresh. */
  #markStale(...names: string[]): void {
    for (const name of names) this.#stale.add(name);
    this.#refresh ??= window.setTimeout(() => {
      this.#refresh = undefined;
      for (const name of this.#stale) void queries.invalidateQueries({ queryKey: name.split(" ") });
      this.#stale.clear();
    }, REFRESH_MS);
  }

  #become(state: LiveState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

export const live = new LiveStream();

export function useLive(): LiveState {
  return useSyncExternalStore(live.subscribe, () => live.state);
}

/** Runs the stream for as long as the component is there. */
export function useLiveStream(): void {
  useEffect(() => live.start(), []);
}
