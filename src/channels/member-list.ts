import type { Member } from "../protocol/index.ts";
import type { MembersPage, PageRequest } from "./broker.ts";

/**
 * The members of one channel in the order in which they joined. A cursor is the number of a member's
 * arrival, so that a page continues rightly although the member it ended with has left.
 */
export class MemberList {
  #arrivals = 0;
  readonly #members = new Map<string, { arrival: number; member: Member }>();

  get size(): number {
    return this.#members.size;
  }

  /** Add a member, or change what is known of one without moving it. */
  set(member: Member): void {
    const known = this.#members.get(member.id);
    if (known === undefined) {
      this.#arrivals += 1;
      this.#members.set(member.id, { arrival: this.#arrivals, member });
    } else {
      known.member = member;
    }
  }

  delete(id: string): boolean {
    return this.#members.delete(id);
  }

  /** A cursor that is not a number starts at the beginning. */
  page({ limit, after }: PageRequest): MembersPage {
    const from = after === undefined ? 0 : Number(after);
    const members: Member[] = [];
    let next: string | null = null;
    let last = 0;
    for (const { arrival, member } of this.#members.values()) {
      if (arrival <= from) continue;
      if (members.length === limit) {
        next = String(last);
        break;
      }
      members.push(member);
      last = arrival;
    }
    return { members, count: this.#members.size, next };
  }
}
