import { randomToken } from "../../lib/random-token.ts";
import type { Steps } from "../../lib/slices.ts";
import { SmallMap } from "../../lib/small-map.ts";
import { type Absence, Absentees } from "./absentees.ts";
import type { Client } from "./attendance.ts";
import { ResumeTokens } from "./resume-tokens.ts";

/** 128 bits. */
const CLIENT_ID_BYTES = 16;

export type ClientsOptions = {
  /** How long a client that is gone can come back as itself. */
  readonly resumeWindowMs?: number;
  /** What all who are gone may about take. */
  readonly maxAbsentBytes?: number;
  readonly now?: () => number;
};

/**
 * The clients that are connected or may come back. A client proves who it is by the secret `resume` token that it got, and
 * each connection brings a new one. Two are good at the same time: the newest, and the one that its client presented last,
 * until it has presented the newest, which it may never have received. Bounded by the connections, and for those that are
 * gone by {@link Absentees}.
 */
export class Clients {
  readonly #byId = new Map<string, Client>();
  readonly #tokens = new ResumeTokens();
  readonly #absentees: Absentees;

  constructor(options: ClientsOptions = {}) {
    this.#absentees = new Absentees({
      resumeWindowMs: options.resumeWindowMs ?? 120_000,
      maxBytes: options.maxAbsentBytes ?? 256 * 1024 * 1024,
      now: options.now ?? Date.now,
      onForgotten: ({ clientId }) => this.#byId.delete(clientId),
    });
  }

  /** How many may come back, and about what is kept of them. */
  get absent(): { readonly count: number; readonly bytes: number } {
    return { count: this.#absentees.size, bytes: this.#absentees.bytes };
  }

  /**
   * The client of a new connection: the one that the token proves, under the same key, or a new one.
   * @returns also the token for the next time, and the connection that it takes over if that still lingers.
   */
  connect(
    connectionId: string,
    keyId: string | null,
    resume: string | undefined,
  ): { readonly client: Client; readonly token: string; readonly takenOver: string | undefined } {
    this.#absentees.forget();
    const proof = resume === undefined ? undefined : this.#prove(keyId, resume);
    if (proof !== undefined) {
      const { client, isNewest } = proof;
      // The newest was received: the one before it is over.
      if (isNewest) client.generation += 1;
      const takenOver = client.connectionId;
      client.connectionId = connectionId;
      this.#absentees.recall(client);
      return { client, token: this.#tokens.issue(client.clientId, client.generation), takenOver };
    }
    const client: Client = {
      clientId: randomToken(CLIENT_ID_BYTES),
      keyId,
      generation: 1,
      attendances: new SmallMap(),
      hasForgotten: false,
      connectionId,
    };
    this.#byId.set(client.clientId, client);
    return { client, token: this.#tokens.issue(client.clientId, 1), takenOver: undefined };
  }

  /** The connection that `connect` would take over. */
  lingering(keyId: string | null, resume: string): string | undefined {
    return this.#prove(keyId, resume)?.client.connectionId;
  }

  /** The client that a token proves, under its own key, and whether it is the newest token of that client. */
  #prove(
    keyId: string | null,
    resume: string,
  ): { readonly client: Client; readonly isNewest: boolean } | undefined {
    const proof = this.#tokens.verify(resume);
    const client = proof === undefined ? undefined : this.#byId.get(proof.clientId);
    if (proof === undefined || client === undefined || client.keyId !== keyId) return undefined;
    const isNewest = proof.generation === client.generation;
    return isNewest || proof.generation === client.generation - 1 ? { client, isNewest } : undefined;
  }

  /** Its connection ended; unless it has another one by now, it is gone for the time being. */
  disconnect(client: Client, connectionId: string, absence: Absence): void {
    if (client.connectionId !== connectionId) {
      absence.end();
      return;
    }
    client.connectionId = undefined;
    this.#absentees.add(client, absence);
  }

  /** See {@link Absentees.decideAgain}. */
  decideAgain(keyId: string): Steps {
    return this.#absentees.decideAgain(keyId);
  }

  close(): void {
    this.#absentees.close();
    this.#byId.clear();
  }
}
