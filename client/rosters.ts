import type { Member } from "../src/protocol/index.ts";
import type { MembersPage } from "./answers.ts";
import type { Result } from "./result.ts";

export type RosterEvents = {
  readonly fetch: (channel: string, after: string | undefined) => Promise<Result<MembersPage>>;
  readonly joined: (channel: string, member: Member) => void;
  readonly left: (channel: string, member: Member) => void;
  readonly updated: (channel: string, member: Member) => void;
};

/** What the application was told of one channel's members. */
type Roster = {
  readonly members: Map<string, Member>;
  /** It was told all of them, so that whoever is not among them is new to it. */
  isWhole: boolean;
  /** While the list is fetched anew: of whom something was told meanwhile, which is newer. */
  touched: Set<string> | undefined;
};

/** A channel of more members is not followed: there the server tells only how many there are. */
const MAX_MEMBERS = 5_000;

/**
 * The members of each channel as the application knows them, from `getMembers` and from what it was told since. After an outage the
 * list is read anew, and the differences are told as if they had come by themselves: a list that is kept by `onJoin` and `onLeave`
 * is right again, without the own id of before.
 */
export class Rosters {
  readonly #events: RosterEvents;
  readonly #byChannel = new Map<string, Roster>();

  constructor(events: RosterEvents) {
    this.#events = events;
  }

  /** A page that the application has asked for. */
  listed(channel: string, { members, next }: MembersPage, isFirst: boolean): void {
    const roster = this.#byChannel.get(channel) ?? { members: new Map(), isWhole: false, touched: undefined };
    if (isFirst && roster.touched === undefined) roster.members.clear();
    this.#byChannel.set(channel, roster);
    for (const member of members)
      if (roster.touched?.has(member.id) !== true) roster.members.set(member.id, member);
    roster.isWhole = next === null;
    if (roster.members.size > MAX_MEMBERS) this.forget(channel);
  }

  /** Somebody came or changed. */
  set(channel: string, member: Member): void {
    const roster = this.#byChannel.get(channel) ?? { members: new Map(), isWhole: false, touched: undefined };
    this.#byChannel.set(channel, roster);
    roster.members.set(member.id, member);
    roster.touched?.add(member.id);
    if (roster.members.size > MAX_MEMBERS) this.forget(channel);
  }

  delete(channel: string, { id }: Member): void {
    const roster = this.#byChannel.get(channel);
    roster?.members.delete(id);
    roster?.touched?.add(id);
  }

  forget(channel: string): void {
    this.#byChannel.delete(channel);
  }

  clear(): void {
    this.#byChannel.clear();
  }

  /** The channel was joined again: tell what has changed while nobody could. */
  async reconcile(channel: string): Promise<void> {
    const roster = this.#byChannel.get(channel);
    if (roster === undefined || roster.members.size === 0) return;
    const touched = new Set<string>();
    roster.touched = touched;
    const now = await this.#fetch(channel);
    // Another outage has begun another one, or nobody wants the channel any more.
    if (this.#byChannel.get(channel) !== roster || roster.touched !== touched) return;
    roster.touched = undefined;
    if (now === undefined) return;
    for (const [id, member] of [...roster.members]) {
      if (now.has(id) || touched.has(id)) continue;
      roster.members.delete(id);
      this.#events.left(channel, member);
    }
    for (const [id, member] of now) {
      if (touched.has(id)) continue;
      const known = roster.members.get(id);
      if (known === undefined && !roster.isWhole) continue;
      roster.members.set(id, member);
      if (known === undefined) this.#events.joined(channel, member);
      else if (JSON.stringify(known.data) !== JSON.stringify(member.data))
        this.#events.updated(channel, member);
    }
  }

  /** Undefined where the list cannot be had, or is longer than is followed. */
  async #fetch(channel: string): Promise<Map<string, Member> | undefined> {
    const found = new Map<string, Member>();
    let after: string | undefined;
    do {
      const { data } = await this.#events.fetch(channel, after);
      if (data === null || found.size > MAX_MEMBERS) return undefined;
      for (const member of data.members) found.set(member.id, member);
      after = data.next ?? undefined;
    } while (after !== undefined);
    return found;
  }
}
