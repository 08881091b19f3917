import type { Hub } from "../../channels/index.ts";
import type { Preview, PreviewExample, Verdict } from "../../gate/index.ts";
import type { Steps } from "../../lib/slices.ts";
import type { AccessRequest } from "../../policy/index.ts";
import type { Refusal } from "../../protocol/index.ts";
import type { Connection } from "./connection.ts";

/** What a preview shows of the connections that it counts. */
const MAX_EXAMPLES = 10;
const MAX_ORIGINS = 100;

/** Counts what a change of a key would do to its connections, step by step: between two steps others have their turn. */
export class KeyPreview {
  readonly #hub: Hub;
  readonly #decide: (request: AccessRequest) => Verdict;
  readonly #byCode = new Map<string, number>();
  readonly #byOrigin = new Map<string, number>();
  readonly #examples: PreviewExample[] = [];
  #total = 0;
  #closing = 0;
  #leaving = 0;

  constructor(hub: Hub, decide: (request: AccessRequest) => Verdict) {
    this.#hub = hub;
    this.#decide = decide;
  }

  *steps(connections: readonly Connection[]): Steps {
    for (const connection of connections) {
      if (!connection.isOpen) continue;
      const { id, origin, ip } = connection;
      this.#total += 1;
      const verdict = this.#decide({ action: "connect", origin, ip });
      yield;
      if (!verdict.allowed) {
        this.#closing += 1;
        this.#note(connection, verdict);
        continue;
      }
      for (const channel of this.#hub.channelsOf(id)) {
        const membership = this.#decide({ action: "join", origin, ip, channel });
        yield;
        if (membership.allowed) continue;
        this.#leaving += 1;
        this.#note(connection, membership, channel);
      }
    }
  }

  get result(): Preview {
    return {
      total: this.#total,
      closing: this.#closing,
      leaving: this.#leaving,
      byCode: Object.fromEntries(this.#byCode),
      byOrigin: Object.fromEntries(this.#byOrigin),
      examples: this.#examples,
    };
  }

  #note({ id, origin, ip }: Connection, { code, message }: Refusal, channel?: string): void {
    this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1);
    const from = origin ?? "none";
    if (this.#byOrigin.has(from) || this.#byOrigin.size < MAX_ORIGINS)
      this.#byOrigin.set(from, (this.#byOrigin.get(from) ?? 0) + 1);
    if (this.#examples.length >= MAX_EXAMPLES) return;
    const example = { connectionId: id, origin: origin ?? null, ip, code, message };
    this.#examples.push(channel === undefined ? example : { ...example, channel });
  }
}
