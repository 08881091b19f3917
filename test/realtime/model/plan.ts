/** What a seed makes happen. The same seed gives the same plan; the network's timing is its own. */
export type Plan = {
  readonly seed: number;
  readonly clients: readonly ClientPlan[];
  readonly steps: readonly Step[];
};

/** `key` 0 may not read history, `key` 1 may. */
export type ClientPlan = {
  readonly transports: readonly string[];
  readonly key: number;
  readonly echo: boolean;
};

/** Where a join says that the client was. */
export type Since = "none" | "last" | "older" | "start" | "foreign" | "ahead";
export type Loss = "clean" | "engine" | "cut" | "freeze";

export type PublishStep = {
  readonly do: "publish";
  readonly who: number;
  readonly channel: number;
  readonly echo: boolean | undefined;
  /** Publishes of the same slot have the same id and, unless `other`, the same body. */
  readonly slot: number | undefined;
  readonly other: boolean;
  readonly kind: Kind;
};
export type Kind = "plain" | "binary" | "large";

export type Step =
  | PublishStep
  | {
      readonly do: "http";
      readonly key: number;
      readonly channels: readonly number[];
      readonly slot: number | undefined;
    }
  | { readonly do: "broadcast"; readonly who: number | null; readonly echo: boolean | undefined }
  | {
      readonly do: "join";
      readonly who: number;
      readonly channel: number;
      readonly since: Since;
      readonly echo: boolean;
    }
  | { readonly do: "leave"; readonly who: number; readonly channel: number; readonly echo: boolean }
  | { readonly do: "update"; readonly who: number }
  | { readonly do: "history"; readonly who: number; readonly channel: number; readonly limit: number }
  | { readonly do: "stall" | "flow"; readonly who: number }
  | { readonly do: "flood"; readonly channel: number }
  | { readonly do: "drop"; readonly who: number; readonly how: Loss }
  | { readonly do: "return"; readonly who: number; readonly resume: boolean; readonly since: Since }
  | { readonly do: "withdraw"; readonly key: number; readonly channel: number | "all" }
  | { readonly do: "restore"; readonly key: number }
  | { readonly do: "breathe" }
  | { readonly do: "settle" };

export const CHANNELS = 3;
const CLIENTS = 5;
const STEPS = 60;
const TRANSPORTS = [["websocket"], ["websocket"], ["polling"], ["polling"], ["polling", "websocket"]];

/** Mulberry32: small, and good enough to pick from. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function planOf(seed: number): Plan {
  return new Planner(seed).plan();
}

class Planner {
  readonly #seed: number;
  readonly #random: () => number;
  readonly #gone = new Set<number>();
  readonly #withdrawn = new Set<number>();
  readonly #steps: Step[] = [];
  #stalled: number | undefined;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = randomNumbers(seed);
  }

  plan(): Plan {
    const clients = Array.from({ length: CLIENTS }, (_, index) => ({
      transports: this.#pick(TRANSPORTS),
      key: index % 2,
      echo: this.#chance(0.7),
    }));
    for (let who = 0; who < CLIENTS; who += 1) {
      for (let channel = 0; channel < CHANNELS; channel += 1) {
        if (this.#chance(0.6))
          this.#steps.push({ do: "join", who, channel, since: "none", echo: this.#chance(0.5) });
      }
    }
    while (this.#steps.length < STEPS) this.#add();
    return { seed: this.#seed, clients, steps: this.#steps };
  }

  #add(): void {
    const dice = this.#random() * 100;
    if (dice < 34) this.#burst();
    else if (dice < 41) this.#http();
    else if (dice < 44)
      this.#steps.push({ do: "broadcast", who: this.#chance(0.7) ? this.#here() : null, echo: this.#echo() });
    else if (dice < 54)
      this.#steps.push({
        do: "join",
        who: this.#here(),
        channel: this.#channel(),
        since: this.#since(),
        echo: this.#chance(0.5),
      });
    else if (dice < 60)
      this.#steps.push({ do: "leave", who: this.#here(), channel: this.#channel(), echo: this.#chance(0.5) });
    else if (dice < 63) this.#steps.push({ do: "update", who: this.#here() });
    else if (dice < 65)
      this.#steps.push({
        do: "history",
        who: this.#here(),
        channel: this.#channel(),
        limit: this.#pick([1, 3, 100]),
      });
    else if (dice < 70) this.#stallOrFlow();
    else if (dice < 78) this.#drop();
    else if (dice < 88) this.#return();
    else if (dice < 91) this.#editKey();
    else if (dice < 97) this.#steps.push({ do: "breathe" });
    else this.#steps.push({ do: "settle" });
  }

  /** Several publishes in one go. */
  #burst(): void {
    const who = this.#here();
    const main = this.#channel();
    const count = 1 + Math.floor(this.#random() * 6);
    for (let i = 0; i < count; i += 1) {
      this.#steps.push({
        do: "publish",
        who,
        channel: this.#chance(0.8) ? main : this.#channel(),
        echo: this.#echo(),
        slot: this.#chance(0.3) ? Math.floor(this.#random() * 4) : undefined,
        other: this.#chance(0.2),
        kind: this.#chance(0.1) ? "binary" : this.#chance(0.04) ? "large" : "plain",
      });
    }
  }

  #http(): void {
    const count = this.#chance(0.5) ? 1 : 2 + Math.floor(this.#random() * 4);
    const channels = Array.from({ length: count }, () => this.#channel());
    const slot = this.#chance(0.3) ? Math.floor(this.#random() * 3) : undefined;
    this.#steps.push({ do: "http", key: this.#chance(0.5) ? 0 : 1, channels, slot });
  }

  #stallOrFlow(): void {
    if (this.#stalled !== undefined) {
      this.#steps.push({ do: "flow", who: this.#stalled });
      this.#stalled = undefined;
      return;
    }
    this.#stalled = this.#here();
    this.#steps.push({ do: "stall", who: this.#stalled });
    // Mostly where nothing is kept: all games together have one bound for what is.
    if (this.#chance(0.08)) this.#steps.push({ do: "flood", channel: this.#chance(0.15) ? 0 : CHANNELS - 1 });
  }

  #drop(): void {
    if (this.#gone.size >= CLIENTS - 2) return;
    const who = this.#here();
    this.#gone.add(who);
    this.#steps.push({ do: "drop", who, how: this.#pick(["clean", "engine", "cut", "cut", "freeze"]) });
  }

  /** Mostly those who are gone; now and then somebody whose connection still lives. */
  #return(): void {
    const who = this.#gone.size > 0 && this.#chance(0.85) ? this.#pick([...this.#gone]) : this.#here();
    this.#gone.delete(who);
    this.#steps.push({
      do: "return",
      who,
      resume: this.#chance(0.9),
      since: this.#chance(0.8) ? "last" : this.#since(),
    });
  }

  #editKey(): void {
    const key = this.#chance(0.5) ? 0 : 1;
    if (this.#withdrawn.delete(key)) {
      this.#steps.push({ do: "restore", key });
      return;
    }
    this.#withdrawn.add(key);
    this.#steps.push({ do: "withdraw", key, channel: this.#chance(0.8) ? this.#channel() : "all" });
  }

  #since(): Since {
    return this.#pick(["none", "last", "last", "older", "start", "foreign", "ahead"]);
  }

  #echo(): boolean | undefined {
    return this.#chance(0.5) ? undefined : this.#chance(0.5);
  }

  #here(): number {
    return this.#pick(
      Array.from({ length: CLIENTS }, (_, index) => index).filter((who) => !this.#gone.has(who)),
    );
  }

  #channel(): number {
    return Math.floor(this.#random() * CHANNELS);
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #pick<T>(list: readonly T[]): T {
    const found = list[Math.floor(this.#random() * list.length)];
    if (found === undefined) throw new Error("nothing to pick from");
    return found;
  }
}
