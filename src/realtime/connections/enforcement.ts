import { performance } from "node:perf_hooks";
import type { Clients, Hub } from "../../channels/index.ts";
import type {
  ConnectionList,
  ConnectionPage,
  ConnectionQuery,
  ConnectionRegistry,
  ConnectionView,
  Preview,
  Verdict,
} from "../../gate/index.ts";
import { Slices, type Steps } from "../../lib/slices.ts";
import type { SheddableConnections } from "../../overload/index.ts";
import type { AccessRequest } from "../../policy/index.ts";
import type { Refusal } from "../../protocol/index.ts";
import { refuseStopping } from "../admission/shutdown-refusal.ts";
import type { Connection } from "./connection.ts";
import { PageOfConnections, viewOf } from "./connection-page.ts";
import { EnforcementPass } from "./enforcement-pass.ts";
import { KeyPreview } from "./key-preview.ts";
import { heaviestOf, holdingsOf } from "./shedding.ts";

/** How long one batch of closings may hold the event loop (10,000 in one loop block it for over a second). */
const BATCH_MS = 5;

/** How much of a turn it may take to decide again, and to look connections through for operators. */
const PASS_SLICE_MS = 4;
const LOOK_SLICE_MS = 2;

/** Above this, the others hear of the leaves only when all who leave are closed. */
const MANY = 50;

type Ending = { readonly connection: Connection; readonly refusal: Refusal };

/**
 * The open connections by key, and what happens to them when their key changes. Owns both lists: a connection
 * is in them from `add` to `remove`.
 */
export class Enforcement implements ConnectionRegistry, ConnectionList, SheddableConnections {
  readonly #hub: Hub;
  readonly #clients: Clients;
  readonly #byKey = new Map<string, Set<Connection>>();
  /** By id, in the order of their arrival. */
  readonly #connections = new Map<string, Connection>();
  #arrivals = 0;
  /** Told first, all of them, and then ended. */
  readonly #toTell: Ending[] = [];
  readonly #toEnd: Ending[] = [];
  #batch: NodeJS.Immediate | undefined;
  /** By key: where it is being decided again. */
  readonly #passes = new Map<string, EnforcementPass>();
  readonly #slices = new Slices(PASS_SLICE_MS);
  /** What operators ask to see must not keep a change of a key waiting. */
  readonly #looks = new Slices(LOOK_SLICE_MS);

  constructor(hub: Hub, clients: Clients) {
    this.#hub = hub;
    this.#clients = clients;
  }

  add(connection: Connection): void {
    this.#arrivals += 1;
    connection.arrival = this.#arrivals;
    this.#connections.set(connection.id, connection);
    const { key } = connection.identity;
    if (key === null) return;
    const siblings = this.#byKey.get(key.id);
    if (siblings === undefined) this.#byKey.set(key.id, new Set([connection]));
    else siblings.add(connection);
    this.#passes.get(key.id)?.add(connection);
  }

  remove(connection: Connection): void {
    this.#connections.delete(connection.id);
    const { key } = connection.identity;
    if (key === null) return;
    const siblings = this.#byKey.get(key.id);
    siblings?.delete(connection);
    if (siblings?.size === 0) this.#byKey.delete(key.id);
  }

  /**
   * Decide again for the connections of one key, in slices. When it is over, those that may not stay hear nothing any more,
   * and memberships that lost their right have ended; the closing itself follows in paced batches.
   */
  enforce(keyId: string): Promise<void> | undefined {
    const open = this.#passes.get(keyId);
    if (open !== undefined) {
      open.restart();
      return open.done;
    }
    const pass = new EnforcementPass({
      hub: this.#hub,
      clients: this.#clients,
      keyId,
      connections: () => [...(this.#byKey.get(keyId) ?? [])],
      onEnding: (connection, refusal) => {
        this.#toTell.push({ connection, refusal });
        this.#schedule();
      },
    });
    this.#passes.set(keyId, pass);
    pass.done = this.#slices.run(keyId, this.#stepsOf(keyId, pass));
    return pass.done;
  }

  /** It ends in the step in which the pass does: a change that comes after that begins another one. */
  *#stepsOf(keyId: string, pass: EnforcementPass): Steps {
    try {
      yield* pass.steps();
    } finally {
      this.#passes.delete(keyId);
      this.#releaseLeaves();
    }
  }

  get(connectionId: string): Connection | undefined {
    return this.#connections.get(connectionId);
  }

  countOf(keyId: string): number {
    return this.#byKey.get(keyId)?.size ?? 0;
  }

  async page(query: ConnectionQuery): Promise<ConnectionPage> {
    const { keyId } = query;
    const connections = keyId === undefined ? this.#connections.values() : this.#byKey.get(keyId);
    const page = new PageOfConnections(query, this.#hub);
    await this.#looks.run("", page.steps(connections ?? []));
    return page.result;
  }

  find(connectionId: string): ConnectionView | undefined {
    const connection = this.#connections.get(connectionId);
    return connection?.isOpen === true ? viewOf(connection, this.#hub.channelsOf(connectionId)) : undefined;
  }

  disconnect(connectionId: string, refusal: Refusal): boolean {
    const connection = this.#connections.get(connectionId);
    if (connection?.isOpen !== true) return false;
    connection.condemn();
    this.#hub.dismiss([connectionId]);
    connection.end(refusal);
    return true;
  }

  async preview(keyId: string, decide: (request: AccessRequest) => Verdict): Promise<Preview> {
    const preview = new KeyPreview(this.#hub, decide);
    await this.#looks.run(keyId, preview.steps([...(this.#byKey.get(keyId) ?? [])]));
    return preview.result;
  }

  holdings(): ReturnType<SheddableConnections["holdings"]> {
    return holdingsOf(this.#connections.values());
  }

  /** The overloaded node ends connections of one owner: out of the hub at once, closed in paced batches. */
  shed(owner: string, count: number, refusal: () => Refusal): number {
    const chosen = heaviestOf(this.#byKey.get(owner) ?? this.#connections.values(), owner, count);
    for (const connection of chosen) {
      connection.condemn();
      this.#toTell.push({ connection, refusal: refusal() });
    }
    this.#hub.dismiss(
      chosen.map(({ id }) => id),
      chosen.length > MANY,
    );
    this.#schedule();
    return chosen.length;
  }

  /** The server stops: clients are told to come back. */
  endAll(): void {
    for (const connection of this.#connections.values())
      this.#toTell.push({ connection, refusal: refuseStopping(this.#connections.size) });
    this.#schedule();
  }

  close(): void {
    clearImmediate(this.#batch);
    this.#toTell.length = 0;
    this.#toEnd.length = 0;
    this.#slices.close();
    this.#looks.close();
    this.#passes.clear();
  }

  /** Those who go are told first, and all of them are out. */
  #releaseLeaves(): void {
    if (this.#passes.size + this.#toTell.length + this.#toEnd.length === 0) this.#hub.releaseLeaves();
  }

  #schedule(): void {
    if (this.#batch !== undefined || this.#toTell.length + this.#toEnd.length === 0) return;
    this.#batch = setImmediate(() => {
      this.#batch = undefined;
      const untilMs = performance.now() + BATCH_MS;
      do {
        const told = this.#toTell.pop();
        const next = told ?? this.#toEnd.pop();
        if (next === undefined) break;
        // One answer tells a poller and ends it; by itself each is another round. Who has to come first has until the end.
        if (told === undefined || next.connection.hasOpenPoll) {
          next.connection.end(next.refusal);
        } else {
          next.connection.tellClosing(next.refusal);
          this.#toEnd.push(next);
        }
      } while (performance.now() < untilMs);
      this.#releaseLeaves();
      this.#schedule();
    });
  }
}
