import { hash } from "node:crypto";
import type { Steps } from "../lib/slices.ts";
import { randomToken } from "../random-token.ts";
import { type Absence, Absentees } from "./absentees.ts";
import type { Client } from "./attendance.ts";
import { SmallMap } from "./small-map.ts";

/** 192 and 128 bits. */
const TOKEN_BYTES = 24;
const CLIENT_ID_BYTES = 16;

export type ClientsOptions = {
  /** How long a client that is gone can come back as itself. */
  readonly resumeWindowMs?: number;
  /** What all who are gone may about take. */
  readonly maxAbsentBytes?: number;
  readonly now?: () => number;
};

/**
 * The clients that are connected or may come back. A client proves who it is by the secret `resume` token that it got; the
 * token is kept as a digest. Bounded by the connections, and for those that are gone by {@link Absentees}.
 */
export class Clients {
  readonly #byDigest = new Map<string, Client>();
  readonly #absentees: Absentees;

  constructor(options: ClientsOptions = {}) {
    this.#absentees = new Absentees({
      resumeWindowMs: options.resumeWindowMs ?? 120_000,
      maxBytes: options.maxAbsentBytes ?? 256 * 1024 * 1024,
      now: options.now ?? Date.now,
      onForgotten: ({ digest }) => this.#byDigest.delete(digest),
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
    const known = resume === undefined ? undefined : this.#byDigest.get(digestOf(resume));
    if (known !== undefined && known.keyId === keyId && resume !== undefined) {
      const takenOver = known.connectionId;
      known.connectionId = connectionId;
      this.#absentees.recall(known);
      return { client: known, token: resume, takenOver };
    }
    const token = randomToken(TOKEN_BYTES);
    const client: Client = {
      clientId: randomToken(CLIENT_ID_BYTES),
      keyId,
      digest: digestOf(token),
      attendances: new SmallMap(),
      hasForgotten: false,
      connectionId,
    };
    this.#byDigest.set(client.digest, client);
    return { client, token, takenOver: undefined };
  }

  /** The connection that `connect` would take over. */
  lingering(keyId: string | null, resume: string): string | undefined {
    const known = this.#byDigest.get(digestOf(resume));
    return known?.keyId === keyId ? known.connectionId : undefined;
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
    this.#byDigest.clear();
  }
}

function digestOf(token: string): string {
  return hash("sha256", token, "base64");
}
