import { createHash } from "node:crypto";
import { nanoid } from "nanoid";
import type { Position } from "../protocol/index.ts";

/** Since when a client has been a member of a channel, across its reconnects. */
type Attendance = {
  readonly epoch: string;
  /** It has heard, or may be replayed, everything after this offset. */
  from: number;
  /** Nothing before this is replayed, whatever its rights: it was sent while they were withdrawn. */
  floor: number;
  /** The right ended; the next join begins anew. */
  isWithdrawn: boolean;
};

/** A program across its reconnects. */
export type Client = {
  readonly clientId: string;
  /** The key that it connected with; null where none is required. */
  readonly keyId: string | null;
  readonly digest: string;
  readonly attendances: Map<string, Attendance>;
  /** The connection that it has now. */
  connectionId: string | undefined;
  goneSinceMs: number;
};

export type ClientsOptions = {
  /** How long a client that is gone can come back as itself. */
  readonly resumeWindowMs?: number;
  readonly maxGone?: number;
  readonly now?: () => number;
};

/**
 * The clients that are connected or may come back. A client proves who it is by the secret `resume` token that it got; the
 * token is kept as a digest. Bounded by the connections, and by number and time for those that are gone.
 */
export class Clients {
  readonly #resumeWindowMs: number;
  readonly #maxGone: number;
  readonly #now: () => number;
  readonly #byDigest = new Map<string, Client>();
  /** Gone for longest first. */
  readonly #gone = new Set<Client>();

  constructor(options: ClientsOptions = {}) {
    this.#resumeWindowMs = options.resumeWindowMs ?? 120_000;
    this.#maxGone = options.maxGone ?? 100_000;
    this.#now = options.now ?? Date.now;
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
    this.#forgetGone();
    const known = resume === undefined ? undefined : this.#byDigest.get(digestOf(resume));
    if (known !== undefined && known.keyId === keyId && resume !== undefined) {
      const takenOver = known.connectionId;
      known.connectionId = connectionId;
      this.#gone.delete(known);
      return { client: known, token: resume, takenOver };
    }
    const token = nanoid(32);
    const client: Client = {
      clientId: nanoid(),
      keyId,
      digest: digestOf(token),
      attendances: new Map(),
      connectionId,
      goneSinceMs: 0,
    };
    this.#byDigest.set(client.digest, client);
    return { client, token, takenOver: undefined };
  }

  /** Its connection ended; unless it has another one by now, it is gone for the time being. */
  disconnect(client: Client, connectionId: string): void {
    if (client.connectionId !== connectionId) return;
    client.connectionId = undefined;
    client.goneSinceMs = this.#now();
    this.#gone.add(client);
    this.#forgetGone();
  }

  #forgetGone(): void {
    const before = this.#now() - this.#resumeWindowMs;
    for (const client of this.#gone) {
      if (client.goneSinceMs > before && this.#gone.size <= this.#maxGone) return;
      this.#gone.delete(client);
      this.#byDigest.delete(client.digest);
    }
  }
}

/**
 * Note that a client is a member from a position on; what it attended before it lost its connection goes on.
 * @returns the offset after which it may be replayed without the `history` right, and with it.
 */
export function attend(
  client: Client,
  channel: string,
  { epoch, offset }: Position,
): { from: number; floor: number } {
  const known = client.attendances.get(channel);
  if (known !== undefined && known.epoch === epoch && !known.isWithdrawn) return known;
  const floor = known?.isWithdrawn === true ? offset : 0;
  const attendance = { epoch, from: offset, floor, isWithdrawn: false };
  client.attendances.set(channel, attendance);
  return attendance;
}

/** It left of its own will: what is sent from now on it has not attended. */
export function leaveOff(client: Client, channel: string): void {
  client.attendances.delete(channel);
}

/** Its right was taken away, in one channel or in all. */
export function withdraw(client: Client, channel?: string): void {
  for (const [name, attendance] of client.attendances) {
    if (channel === undefined || name === channel) attendance.isWithdrawn = true;
  }
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
