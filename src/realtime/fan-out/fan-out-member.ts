import type { Socket as EngineSocket } from "engine.io";
import type { SharedFrame, UnsentFrames } from "../flow/unsent-frames.ts";
import type { EngineSession } from "../sessions/engine-session.ts";
import type { PacketOptions, Wire } from "../transport/engine-seam.ts";
import { frameOf } from "../transport/packet-frame.ts";

/** Those who hear the same: a channel's members, its watchers, a key's connections, or everyone. Kept while it has members. */
export type Audience = {
  readonly members: Set<FanOutMember>;
  pending: Batch | undefined;
  /** What is being sent to them right now. */
  leaving: Batch | undefined;
  /** Where it is kept, if it does not stay for good. */
  readonly key?: { readonly audiences: Map<string, Audience>; readonly channel: string };
};

/** A message, encoded and framed once. */
export type Entry = SharedFrame & {
  /** Its place among all that this node sends. */
  readonly sequence: number;
  readonly exceptId: string | undefined;
  readonly packets: readonly (string | Buffer)[];
  /** For the ordinary path; attachments have no frame there. */
  readonly options: PacketOptions | undefined;
};

/** What an audience is to be sent at the end of the turn. */
export type Batch = {
  readonly audience: Audience;
  readonly entries: Entry[];
  readonly firstSequence: number;
  /** The connections that one of the entries leaves out. */
  exceptIds: Set<string> | undefined;
  /** All frames in one buffer, once somebody is sent them. */
  shared: Buffer | undefined;
};

export function createEntry(
  sequence: number,
  packets: readonly (string | Buffer)[],
  exceptId: string | undefined,
  owner: string,
): Entry {
  const frame = frameOf(packets);
  const options = packets.length === 1 ? { compress: false, wsPreEncodedFrame: [frame] } : undefined;
  return { sequence, exceptId, packets, frame, options, owner, holders: 0 };
}

/** All frames of a list in one buffer. */
export function joined(entries: readonly Entry[]): Buffer {
  const [first] = entries;
  if (first !== undefined && entries.length === 1) return first.frame;
  return Buffer.concat(entries.map(({ frame }) => frame));
}

/** What all members of a fan-out share. */
export type FanOutOfMember = {
  /** Send it what is held back for it. */
  readonly flushMember: (member: FanOutMember) => void;
  readonly unsent: UnsentFrames;
};

/** A connection that hears the hub, and the two ways to write to it. */
export class FanOutMember {
  readonly id: string;
  /** Null: it came without a key. */
  readonly keyId: string | null;
  readonly session: EngineSession;
  /** Another list whenever it changes. */
  audiences: readonly Audience[] = [];
  /** It has been sent, or is not to hear, everything up to this sequence. */
  caughtUpTo: number;
  readonly #conn: EngineSocket;
  readonly #fanOut: FanOutOfMember;
  #wire: Wire | undefined;

  constructor(
    id: string,
    keyId: string | null,
    session: EngineSession,
    caughtUpTo: number,
    fanOut: FanOutOfMember,
  ) {
    this.#fanOut = fanOut;
    this.id = id;
    this.keyId = keyId;
    this.session = session;
    this.#conn = session.conn;
    this.caughtUpTo = caughtUpTo;
  }

  /** Something else is about to be sent to it. */
  beforePacket(): void {
    this.#fanOut.flushMember(this);
  }

  /** `shared`: the frames of these entries, where many are sent the same. */
  send(entries: readonly Entry[], shared?: Buffer): void {
    if (this.#wire?.transport !== this.#conn.transport) this.#wire = this.session.wire;
    if (this.#wire?.isIdle === true) {
      if (shared === undefined) this.#wire.writeJoined(entries);
      else this.#wire.write(shared);
      if (this.#wire.isBehind) this.#fanOut.unsent.hold(this.session, entries);
      return;
    }
    this.#fanOut.unsent.hold(this.session, entries);
    for (const { packets, options } of entries) {
      for (const packet of packets) this.#conn.write(packet, options);
    }
  }
}
