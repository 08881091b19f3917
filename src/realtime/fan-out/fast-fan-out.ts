import type { FanOut } from "../../channels/index.ts";
import type { UnsentFrames } from "../flow/unsent-frames.ts";
import type { EngineSession } from "../sessions/engine-session.ts";
import { type Audience, FanOutMember, type FanOutOfMember } from "./fan-out-member.ts";
import { Outbox } from "./outbox.ts";

export type FastFanOutOptions = {
  /** The session of an open connection. */
  readonly sessionOf: (connectionId: string) => EngineSession | undefined;
  /** An event's text, then its attachments. */
  readonly encode: (eventName: string, payload: unknown) => readonly unknown[];
  /** Who published what is sent: its memory is charged to them while somebody has not taken it. */
  readonly ownerOf: (payload: unknown) => string;
  readonly unsent: UnsentFrames;
  readonly onFault: (error: unknown) => void;
  readonly onFlushed?: ((ms: number) => void) | undefined;
};

/**
 * Fan-out past Socket.IO's rooms: a message is encoded and framed once, what an audience hears in one turn of the
 * event loop is one buffer, and that is written once to each member that has nothing else queued; the others
 * take engine.io's ordinary path. Under load a turn may last up to 5 ms longer (see `Outbox`). The order of everything that one connection is sent stays that of the calls:
 * whatever else is sent to it, and whatever changes what it hears, first lets go what was held back.
 *
 * Owns the members, from `admit` to `dismiss`, and the audiences, while they have members.
 */
export class FastFanOut implements FanOut {
  readonly #options: FastFanOutOptions;
  readonly #outbox: Outbox;
  readonly #members = new Map<string, FanOutMember>();
  readonly #everyone: Audience = { members: new Set(), pending: undefined, leaving: undefined };
  readonly #byChannel = new Map<string, Audience>();
  readonly #watchers = new Map<string, Audience>();
  /** Of keys whose connections have been sent a broadcast of their own: most keys never are, and pay nothing for it. */
  readonly #byKey = new Map<string, Audience>();

  /** One for all members. */
  readonly #shared: FanOutOfMember;

  constructor(options: FastFanOutOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.onFault, options.onFlushed);
    this.#shared = {
      flushMember: (member) => this.#outbox.flushMember(member),
      unsent: options.unsent,
    };
  }

  /** How many connections and audiences are kept: none when nobody is connected. */
  get size(): number {
    return this.#members.size + this.#byChannel.size + this.#watchers.size + this.#byKey.size;
  }

  admit(connectionId: string, keyId: string | null): void {
    const session = this.#options.sessionOf(connectionId);
    if (session === undefined || this.#members.has(connectionId)) return;
    const { sequence } = this.#outbox;
    const member = new FanOutMember(connectionId, keyId, session, sequence, this.#shared);
    this.#members.set(connectionId, member);
    this.#enter(member, this.#everyone);
    const ofKey = this.#byKey.get(keyId ?? "");
    if (ofKey !== undefined) this.#enter(member, ofKey);
    session.fanOut = member;
  }

  dismiss(connectionId: string): void {
    const member = this.#members.get(connectionId);
    if (member === undefined) return;
    // All at once, not this member's alone: thousands may go in one turn.
    this.#outbox.flush();
    member.session.fanOut = undefined;
    this.#options.unsent.release(member.session);
    member.caughtUpTo = Number.POSITIVE_INFINITY;
    this.#members.delete(connectionId);
    for (const audience of member.audiences) this.#exit(member, audience);
    member.audiences = [];
  }

  attach(connectionId: string, channel: string): void {
    this.#join(this.#byChannel, connectionId, channel);
  }

  detach(connectionId: string, channel: string): void {
    this.#leave(this.#byChannel, connectionId, channel);
  }

  watch(connectionId: string, channel: string): void {
    this.#join(this.#watchers, connectionId, channel);
  }

  unwatch(connectionId: string, channel: string): void {
    this.#leave(this.#watchers, connectionId, channel);
  }

  toMembers(channel: string, eventName: string, payload: unknown, exceptId?: string): void {
    this.#emit(this.#byChannel.get(channel), eventName, payload, exceptId);
  }

  toWatchers(channel: string, eventName: string, payload: unknown, exceptId?: string): number {
    return this.#emit(this.#watchers.get(channel), eventName, payload, exceptId);
  }

  toEveryone(eventName: string, payload: unknown, exceptId?: string): void {
    this.#emit(this.#everyone, eventName, payload, exceptId);
  }

  toKey(keyId: string | null, eventName: string, payload: unknown, exceptId?: string): number {
    const audience = this.#byKey.get(keyId ?? "") ?? this.#gather(keyId);
    this.#emit(audience, eventName, payload, exceptId);
    const leftOut = exceptId === undefined ? undefined : this.#members.get(exceptId);
    return audience.members.size - (leftOut !== undefined && audience.members.has(leftOut) ? 1 : 0);
  }

  /** Let go what is held back. */
  flush(): void {
    this.#outbox.flush();
  }

  /** Let go what is held back, and everyone. */
  close(): void {
    this.flush();
    for (const connectionId of this.#members.keys()) this.dismiss(connectionId);
  }

  /** @returns the bytes of what each hears. */
  #emit(audience: Audience | undefined, eventName: string, payload: unknown, exceptId?: string): number {
    if (audience === undefined || audience.members.size === 0) return 0;
    const packets = this.#options.encode(eventName, payload).map(toPacket);
    return this.#outbox.add(audience, packets, exceptId, this.#options.ownerOf(payload));
  }

  #join(audiences: Map<string, Audience>, connectionId: string, channel: string): void {
    const member = this.#members.get(connectionId);
    if (member === undefined) return;
    let audience = audiences.get(channel);
    if (audience === undefined) {
      audience = createAudience(audiences, channel);
      audiences.set(channel, audience);
    }
    if (!audience.members.has(member)) this.#enter(member, audience);
  }

  /** Those who are here of a key, whose audience is kept from now on while it has members. */
  #gather(keyId: string | null): Audience {
    const audience = createAudience(this.#byKey, keyId ?? "");
    for (const member of this.#members.values()) if (member.keyId === keyId) this.#enter(member, audience);
    if (audience.members.size > 0) this.#byKey.set(keyId ?? "", audience);
    return audience;
  }

  #leave(audiences: Map<string, Audience>, connectionId: string, channel: string): void {
    const member = this.#members.get(connectionId);
    const audience = audiences.get(channel);
    if (member === undefined || audience?.members.has(member) !== true) return;
    this.#outbox.flushMember(member);
    this.#exit(member, audience);
    member.audiences = member.audiences.filter((one) => one !== audience);
  }

  /** What was sent to the audience before is not for the new member. */
  #enter(member: FanOutMember, audience: Audience): void {
    this.#outbox.flushMember(member);
    if (audience.members.has(member)) return;
    member.caughtUpTo = this.#outbox.sequence;
    // A list that is spread has room for more, which thousands would not use.
    member.audiences = member.audiences.length === 0 ? [audience] : member.audiences.concat(audience);
    audience.members.add(member);
  }

  #exit(member: FanOutMember, audience: Audience): void {
    audience.members.delete(member);
    if (audience.members.size === 0) audience.key?.audiences.delete(audience.key.channel);
  }
}

function createAudience(audiences: Map<string, Audience>, channel: string): Audience {
  return { members: new Set(), pending: undefined, leaving: undefined, key: { audiences, channel } };
}

function toPacket(packet: unknown): string | Buffer {
  if (typeof packet === "string" || Buffer.isBuffer(packet)) return packet;
  if (packet instanceof ArrayBuffer) return Buffer.from(packet);
  if (ArrayBuffer.isView(packet)) return Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength);
  throw new TypeError("an attachment is a buffer");
}
