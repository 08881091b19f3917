import { performance } from "node:perf_hooks";
import { type Clients, type Hub, withdraw, withdrawWhere } from "../channels/index.ts";
import type {
  ConnectionList,
  ConnectionPage,
  ConnectionQuery,
  ConnectionRegistry,
  ConnectionView,
  Preview,
  PreviewExample,
  Verdict,
} from "../gate.ts";
import type { SheddableConnections } from "../overload/index.ts";
import type { AccessRequest } from "../policy/index.ts";
import { type ChannelClosed, type Refusal, refuse } from "../protocol/index.ts";
import type { Connection } from "./connection.ts";
import { pageOfConnections, viewOf } from "./connection-page.ts";
import { heaviestOf, holdingsOf } from "./shedding.ts";

/** How long one batch of closings may hold the event loop (10,000 in one loop block it for over a second). */
const BATCH_MS = 5;

/** What a preview shows of the connections that it counts. */
const MAX_EXAMPLES = 10;
const MAX_ORIGINS = 100;

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
   * Decide again for the connections of one key. On return those that may not stay hear nothing any more,
   * and memberships that lost their right have ended; the closing itself follows in paced batches.
   */
  enforce(keyId: string): void {
    const ending: string[] = [];
    for (const connection of this.#byKey.get(keyId) ?? []) {
      const verdict = connection.mayConnect();
      if (verdict.allowed) {
        if (connection.isOpen) this.#enforceMemberships(connection);
        this.#withdrawLost(connection);
        continue;
      }
      // What is sent until its key lets it in again is not replayed to it.
      withdraw(connection.client);
      if (connection.isOpen) {
        connection.condemn();
        ending.push(connection.id);
        this.#toTell.push({ connection, refusal: verdict });
      }
    }
    this.#clients.decideAgain(keyId);
    this.#hub.dismiss(ending, ending.length > MANY);
    this.#schedule();
  }

  get(connectionId: string): Connection | undefined {
    return this.#connections.get(connectionId);
  }

  countOf(keyId: string): number {
    return this.#byKey.get(keyId)?.size ?? 0;
  }

  page(query: ConnectionQuery): ConnectionPage {
    const { keyId } = query;
    const connections = keyId === undefined ? this.#connections.values() : this.#byKey.get(keyId);
    return pageOfConnections(connections ?? [], query, this.#hub);
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

  preview(keyId: string, decide: (request: AccessRequest) => Verdict): Preview {
    const byCode = new Map<string, number>();
    const byOrigin = new Map<string, number>();
    const examples: PreviewExample[] = [];
    let [total, closing, leaving] = [0, 0, 0];
    for (const { id, origin, ip, isOpen } of this.#byKey.get(keyId) ?? []) {
      if (!isOpen) continue;
      total += 1;
      const note = (refusal: Refusal, channel?: string): void => {
        const { code, message } = refusal;
        byCode.set(code, (byCode.get(code) ?? 0) + 1);
        const from = origin ?? "none";
        if (byOrigin.has(from) || byOrigin.size < MAX_ORIGINS)
          byOrigin.set(from, (byOrigin.get(from) ?? 0) + 1);
        if (examples.length >= MAX_EXAMPLES) return;
        const example = { connectionId: id, origin: origin ?? null, ip, code, message };
        examples.push(channel === undefined ? example : { ...example, channel });
      };
      const verdict = decide({ action: "connect", origin, ip });
      if (!verdict.allowed) {
        closing += 1;
        note(verdict);
        continue;
      }
      for (const channel of this.#hub.channelsOf(id)) {
        const membership = decide({ action: "join", origin, ip, channel });
        if (membership.allowed) continue;
        leaving += 1;
        note(membership, channel);
      }
    }
    return {
      total,
      closing,
      leaving,
      byCode: Object.fromEntries(byCode),
      byOrigin: Object.fromEntries(byOrigin),
      examples,
    };
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
      this.#toTell.push({ connection, refusal: refuse("server_shutdown") });
    this.#schedule();
  }

  close(): void {
    clearImmediate(this.#batch);
    this.#toTell.length = 0;
    this.#toEnd.length = 0;
  }

  /** Also in channels that the client has attended and has not joined again yet. */
  #withdrawLost(connection: Connection): void {
    withdrawWhere(connection.client, (channel) => {
      if (this.#hub.isMember(connection.id, channel) || connection.mayStill("join", channel).allowed)
        return false;
      this.#hub.expel(connection.id, channel);
      return true;
    });
  }

  #enforceMemberships(connection: Connection): void {
    for (const channel of this.#hub.channelsOf(connection.id)) {
      const verdict = connection.mayStill("join", channel);
      if (verdict.allowed) {
        this.#hub.setWatching(connection.id, channel, connection.mayStill("presence", channel).allowed);
        continue;
      }
      this.#hub.expel(connection.id, channel);
      const closed: ChannelClosed = { channel, code: verdict.code, message: verdict.message };
      connection.tell("channel:closed", closed);
    }
  }

  #schedule(): void {
    if (this.#batch !== undefined || this.#toTell.length + this.#toEnd.length === 0) return;
    this.#batch = setImmediate(() => {
      this.#batch = undefined;
      const untilMs = performance.now() + BATCH_MS;
      do {
        const told = this.#toTell.pop();
        const next = told ?? this.#toEnd.pop();
        if (next === undefined) {
          this.#hub.releaseLeaves();
          return;
        }
        // One answer tells a poller and ends it; by itself each is another round. Who has to come first has until the end.
        if (told === undefined || next.connection.hasOpenPoll) {
          next.connection.end(next.refusal);
        } else {
          next.connection.tellClosing(next.refusal);
          this.#toEnd.push(next);
        }
      } while (performance.now() < untilMs);
      if (this.#toTell.length + this.#toEnd.length === 0) this.#hub.releaseLeaves();
      this.#schedule();
    });
  }
}
