import { useEffect, useSyncExternalStore } from "react";
import { DenialNews } from "./denial-news.ts";
import { isDenial, isDropped, isKeyChange, isMessage, isSample, isSnapshot } from "./live-events.ts";
import { ApiError } from "./problem.ts";
import { queries } from "./queries.ts";
import { queryOf, requestOnce } from "./request.ts";
import { isSession, session } from "./session.ts";
import { isAnything, jsonOf, type Shape } from "./shape.ts";
import type { ChannelMessage, Sample, Snapshot } from "./types.ts";

/** Why nothing comes: the server is away, or has as many streams as it serves. */
export type LiveLoss = "offline" | "crowded";
export type LiveState = {
  readonly status: "connecting" | "open" | "lost";
  readonly loss: LiveLoss | null;
  readonly version: string | null;
  readonly startedAt: string | null;
  readonly samples: readonly Sample[];
};
export type TailEvent =
  /** From now on every message comes. */
  | { readonly kind: "begin" }
  | { readonly kind: "message"; readonly message: ChannelMessage }
  | { readonly kind: "dropped"; readonly count: number }
  /** The stream was away: what was sent meanwhile is not known. */
  | { readonly kind: "gap" }
  /** There can be no channel of this name. */
  | { readonly kind: "refused" };
type Tail = (event: TailEvent) => void;

const SAMPLES_MAX = 300;
const RETRY_MS = 2_000;
/** Another stream has to end first. */
const CROWDED_RETRY_MS = 3_000;
const REFRESH_MS = 1_000;
/** A sample comes each second: without one for so long, the connection is dead although nobody said so. */
const SILENCE_MS = 12_000;
/** A page that nobody looks at gives its connection back: a browser has six for one server, over all its tabs. */
const HIDDEN_MS = 20_000;
/** Whoever watches a channel may look elsewhere for longer. */
const HIDDEN_TAIL_MS = 300_000;

/**
 * The one stream of server-sent events of this page: totals, what changed, and one channel's messages. It comes back
 * by itself, also after a restart of the server and a new sign-in.
 */
class LiveStream {
  #state: LiveState = { status: "connecting", loss: null, version: null, startedAt: null, samples: [] };
  #source: EventSource | undefined;
  #retry: number | undefined;
  #hidden: number | undefined;
  #silence: number | undefined;
  #refresh: number | undefined;
  readonly #stale = new Set<string>();
  readonly #denials = new DenialNews(queries);
  #channel: string | null = null;
  #tail: Tail | undefined;
  /** Whether the tail has been served, so that a new beginning is a gap. */
  #hasTailed = false;
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
      const afterMs = this.#tail === undefined ? HIDDEN_MS : HIDDEN_TAIL_MS;
      if (document.hidden) this.#hidden = window.setTimeout(() => this.#rest(), afterMs);
      else if (this.#source === undefined && this.#retry === undefined) this.#open();
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
    this.#hasTailed = false;
    if (this.#isRunning) this.#open();
    return () => {
      if (this.#tail !== tail) return;
      this.#channel = null;
      this.#tail = undefined;
      if (this.#isRunning) this.#open();
    };
  }

  get #url(): string {
    return `/admin/v1/live${queryOf({ channel: this.#channel })}`;
  }

  #open(): void {
    this.#drop();
    const source = new EventSource(this.#url);
    this.#source = source;
    const on = <T>(name: string, isEvent: Shape<T>, take: (event: T) => void): void => {
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        const event = jsonOf(data);
        // What a server of another version sends beside that is not for this page.
        if (this.#source === source && isEvent(event)) take(event);
      });
    };
    on("snapshot", isSnapshot, (snapshot) => this.#begin(snapshot));
    on("sample", isSample, (sample) => {
      this.#listenFor(source);
      const samples = [...this.#state.samples, sample].slice(-SAMPLES_MAX);
      this.#become({ ...this.#state, status: "open", loss: null, samples });
    });
    on("key", isKeyChange, ({ id }) => this.#markStale("keys", `key ${id}`));
    on("keys", isAnything, () => this.#markStale("keys", "key"));
    on("denial", isDenial, (denial) => this.#denials.add(denial));
    on("message", isMessage, (message) => this.#tail?.({ kind: "message", message }));
    on("dropped", isDropped, ({ count }) => this.#tail?.({ kind: "dropped", count }));
    source.onerror = () => void this.#recover(source);
  }

  #begin({ startedAt, version, samples, now }: Snapshot): void {
    // Another process: what was read from the one before is old.
    const isNew = this.#state.startedAt !== null && this.#state.startedAt !== startedAt;
    const wasAway = this.#state.status !== "open" && this.#state.startedAt !== null;
    if (this.#source !== undefined) this.#listenFor(this.#source);
    this.#become({
      status: "open",
      loss: null,
      version,
      startedAt,
      samples: samples.length > 0 ? samples : [now],
    });
    if (isNew || wasAway) void queries.invalidateQueries();
    this.#tail?.({ kind: this.#hasTailed ? "gap" : "begin" });
    this.#hasTailed = this.#tail !== undefined;
  }

  async #recover(source: EventSource): Promise<void> {
    if (this.#source !== source) return;
    this.#become({ ...this.#state, status: "lost", loss: this.#state.loss ?? "offline" });
    // While it says "connecting", the browser tries again by itself.
    if (source.readyState !== EventSource.CLOSED) return;
    let loss: LiveLoss = "offline";
    try {
      await requestOnce("/session", isSession);
      const status = await statusOf(this.#url);
      if (status === 429) loss = "crowded";
      if (status === 400 && this.#source === source) {
        this.#tail?.({ kind: "refused" });
        this.#channel = null;
        this.#open();
        return;
      }
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        session.missed();
        await session.renewed().catch(() => undefined);
        if (this.#isRunning && this.#source === source) this.#open();
        return;
      }
    }
    if (this.#source !== source) return;
    this.#become({ ...this.#state, status: "lost", loss });
    this.#retry = window.setTimeout(() => this.#open(), loss === "crowded" ? CROWDED_RETRY_MS : RETRY_MS);
  }

  #listenFor(source: EventSource): void {
    window.clearTimeout(this.#silence);
    this.#silence = window.setTimeout(() => {
      if (this.#source !== source) return;
      this.#become({ ...this.#state, status: "lost", loss: "offline" });
      this.#open();
    }, SILENCE_MS);
  }

  /** Nobody looks. */
  #rest(): void {
    this.#drop();
    this.#become({ ...this.#state, status: "connecting", loss: null });
  }

  #drop(): void {
    window.clearTimeout(this.#retry);
    window.clearTimeout(this.#silence);
    this.#retry = undefined;
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

/** An EventSource does not tell why it was refused: ask once more, and go before a stream begins. */
async function statusOf(url: string): Promise<number | undefined> {
  const going = new AbortController();
  try {
    const { status } = await fetch(url, { credentials: "same-origin", signal: going.signal });
    return status;
  } catch {
    return undefined;
  } finally {
    going.abort();
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
