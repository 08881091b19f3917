import type { Member } from "../../protocol/index.ts";
import type { MembersPage, PageRequest } from "./broker.ts";
import { roughSize } from "./rough-size.ts";

/** A page ends early where its profiles are large, in memory: encoded, they take half of it or less. */
const MAX_PAGE_BYTES = 1024 * 1024;

/** Without a member: one who is gone, of whom nothing is kept. */
type Listed = { readonly arrival: number; member: Member | undefined; bytes: number };

/** About what a member takes in memory. */
export function memberBytes({ data }: Member): number {
  return 100 + roughSize(data);
}

/** Numbers arrivals. Later ones are greater, also of another list, and after a restart those before it. */
export class Arrivals {
  /** Smaller than all of this process. */
  readonly first: number;
  #last: number;

  constructor(nowMs: number) {
    this.first = nowMs * 1_000;
    this.#last = this.first;
  }

  get last(): number {
    return this.#last;
  }

  next(): number {
    this.#last += 1;
    return this.#last;
  }
}

/**
 * The members of one channel in the order in which they joined. A cursor says how far a listing has come and which
 * arrival was the last when it began: whoever comes later is not in it, so that it ends however many come and go, and
 * lists nobody twice.
 */
export class MemberList {
  readonly #arrivals: Arrivals;
  readonly #byId = new Map<string, Listed>();
  /** By arrival. The places of those who are gone stay until they are as many as the others. */
  #inOrder: Listed[] = [];

  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals;
  }

  get size(): number {
    return this.#byId.size;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** Add a member, or change what is known of one without moving it. */
  set(member: Member, bytes = memberBytes(member)): void {
    const known = this.#byId.get(member.id);
    if (known !== undefined) {
      known.member = member;
      known.bytes = bytes;
      return;
    }
    const listed: Listed = { arrival: this.#arrivals.next(), member, bytes };
    this.#byId.set(member.id, listed);
    this.#inOrder.push(listed);
  }

  delete(id: string): boolean {
    const listed = this.#byId.get(id);
    if (listed === undefined) return false;
    this.#byId.delete(id);
    listed.member = undefined;
    if (this.#inOrder.length > 2 * this.#byId.size + 16) {
      this.#inOrder = this.#inOrder.filter(({ member }) => member !== undefined);
    }
    return true;
  }

  /** A cursor that is none, or of an earlier process, starts at the beginning. */
  page({ limit, after }: PageRequest): MembersPage {
    const cursor = parseCursor(after);
    const isKnown = cursor !== undefined && cursor.until >= this.#arrivals.first;
    const { from, until } = isKnown ? cursor : { from: 0, until: this.#arrivals.last };
    const members: Member[] = [];
    let bytes = 0;
    let last = from;
    for (let index = this.#indexAfter(from); index < this.#inOrder.length; index += 1) {
      const listed = this.#inOrder[index];
      if (listed === undefined || listed.arrival > until) break;
      if (listed.member === undefined) continue;
      if (members.length > 0 && (members.length === limit || bytes + listed.bytes > MAX_PAGE_BYTES)) {
        return { members, count: this.size, next: `${last}-${until}` };
      }
      members.push(listed.member);
      bytes += listed.bytes;
      last = listed.arrival;
    }
    return { members, count: this.size, next: null };
  }

  /** Of the first who came after this arrival. */
  #indexAfter(arrival: number): number {
    let low = 0;
    let high = this.#inOrder.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#inOrder[middle]?.arrival ?? 0) <= arrival) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function parseCursor(
  text: string | undefined,
): { readonly from: number; readonly until: number } | undefined {
  const match = /^(\d{1,16})-(\d{1,16})$/.exec(text ?? "");
  return match === null ? undefined : { from: Number(match[1]), until: Number(match[2]) };
}
