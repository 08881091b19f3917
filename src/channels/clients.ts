import { hash } from "node:crypto";
import { nanoid } from "nanoid";
import type { Position } from "../protocol/index.ts";
import { SmallMap } from "./small-map.ts";

/** Since when a client has been a member of a channel, across its reconnects. */
type Attendance = {
  readonly epoch: string;
  /** It has heard, or may be replayed, everything after this offset. */
  from: number;
  /** Nothing before this is replayed, whatever its rights: it was sent while they were withdrawn. */
  floor: number;
  /** The right ended; the next join begins anew. */
  isWithdrawn: boolean;
  /** It left of its own will: what is kept is what it may not be replayed. */
  isLeft: boolean;
};

/** A program across its reconnects. */
export type Client = {
  readonly clientId: string;
  /** The key that it connected with; null where none is required. */
  readonly keyId: string | null;
  readonly digest: string;
  readonly attendances: SmallMap<Attendance>;
  /** Some were forgotten that it may not be replayed: in a channel that is not known, it is replayed nothing. */
  hasForgotten: boolean;
  /** The connection that it has now. */
  connectionId: string | undefined;
  goneSinceMs: number;
  /** While it is gone: what decides about it as about those who are here. */
  absence: Absence | undefined;
};

/** Stands for a client that is gone and may come back. */
export type Absence = {
  /** Could it be connected now and, with a channel, be a member? */
  readonly mayStill: (channel?: string) => boolean;
  /** It came back, or cannot come back any more. Called once. */
  readonly end: () => void;
};

/** Channels that a client attends or has left: twice those that a connection may be in, for it may come back to others. */
const MAX_ATTENDANCES = 2_000;

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
  /** The same by key. */
  readonly #goneByKey = new Map<string, Set<Client>>();

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
      this.#recall(known);
      return { client: known, token: resume, takenOver };
    }
    const token = nanoid(32);
    const client: Client = {
      clientId: nanoid(),
      keyId,
      digest: digestOf(token),
      attendances: new SmallMap(),
      hasForgotten: false,
      connectionId,
      goneSinceMs: 0,
      absence: undefined,
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
    client.goneSinceMs = this.#now();
    client.absence = absence;
    this.#gone.add(client);
    if (client.keyId !== null) {
      const siblings = this.#goneByKey.get(client.keyId) ?? new Set();
      siblings.add(client);
      this.#goneByKey.set(client.keyId, siblings);
    }
    this.#forgetGone();
  }

  /** Its key changed: what those who are gone may no longer hear is noted as it is for those who are here. */
  decideAgain(keyId: string): void {
    for (const client of this.#goneByKey.get(keyId) ?? []) {
      const { absence } = client;
      if (absence === undefined) continue;
      if (absence.mayStill()) withdrawWhere(client, (channel) => !absence.mayStill(channel));
      else withdraw(client);
    }
  }

  close(): void {
    for (const client of this.#gone) this.#recall(client);
    this.#byDigest.clear();
  }

  #forgetGone(): void {
    const before = this.#now() - this.#resumeWindowMs;
    for (const client of this.#gone) {
      if (client.goneSinceMs > before && this.#gone.size <= this.#maxGone) return;
      this.#recall(client);
      this.#byDigest.delete(client.digest);
    }
  }

  /** It is no longer one of those who are gone. */
  #recall(client: Client): void {
    if (!this.#gone.delete(client)) return;
    const { absence, keyId } = client;
    client.absence = undefined;
    absence?.end();
    const siblings = keyId === null ? undefined : this.#goneByKey.get(keyId);
    siblings?.delete(client);
    if (keyId !== null && siblings?.size === 0) this.#goneByKey.delete(keyId);
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
  const isSame = known?.epoch === epoch;
  if (known !== undefined && isSame && !known.isWithdrawn && !known.isLeft) return known;
  const isBarred = known?.isWithdrawn ?? client.hasForgotten;
  const floor = isBarred ? offset : isSame ? known.floor : 0;
  const attendance = { epoch, from: offset, floor, isWithdrawn: false, isLeft: false };
  // Joined last is forgotten last.
  client.attendances.delete(channel);
  client.attendances.set(channel, attendance);
  if (client.attendances.size > MAX_ATTENDANCES) forgetOne(client);
  return attendance;
}

/** The oldest that it has left, or else the oldest. */
function forgetOne(client: Client): void {
  let oldest: string | undefined;
  for (const [channel, { isLeft }] of client.attendances) {
    oldest ??= channel;
    if (!isLeft) continue;
    oldest = channel;
    break;
  }
  if (oldest === undefined) return;
  const attendance = client.attendances.get(oldest);
  if (attendance?.isWithdrawn === true || (attendance?.floor ?? 0) > 0) client.hasForgotten = true;
  client.attendances.delete(oldest);
}

/** It left of its own will: what is sent from now on it has not attended. What it may not be replayed stays so. */
export function leaveOff(client: Client, channel: string): void {
  const attendance = client.attendances.get(channel);
  if (attendance !== undefined) attendance.isLeft = true;
}

/** Its right was taken away, in one channel or in all. */
export function withdraw(client: Client, channel?: string): void {
  if (channel === undefined) {
    withdrawWhere(client, () => true);
    return;
  }
  const attendance = client.attendances.get(channel);
  if (attendance !== undefined) attendance.isWithdrawn = true;
}

/** The same in those of the channels that it attends for which this holds. */
export function withdrawWhere(client: Client, isLost: (channel: string) => boolean): void {
  for (const [channel, attendance] of client.attendances) {
    if (!attendance.isWithdrawn && isLost(channel)) attendance.isWithdrawn = true;
  }
}

function digestOf(token: string): string {
  return hash("sha256", token, "base64");
}
