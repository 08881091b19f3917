import { FairAdmission } from "../../lib/fair-admission.ts";
import { forgetLeft } from "../clients/attendance.ts";
import type { Resident } from "./resident.ts";

/**
 * Bounds what connections hold of channels: memberships, and what is remembered of channels that they left, which takes about as
 * much. A connection has as many places as channels of which something is kept for it. When they are all taken, one that would be
 * refused gives up what is remembered of a channel that it left, if there is one.
 */
export class Places {
  readonly #admission: FairAdmission;

  constructor(max: number) {
    this.#admission = new FairAdmission(max);
  }

  get total(): number {
    return this.#admission.total;
  }

  /** Whether a connection may be in one more channel. */
  admits(resident: Resident): boolean {
    return this.#admission.admits(resident) || this.#forgetOne(resident);
  }

  /** Counts anew what is kept for a connection: to be called when it enters or leaves a channel. */
  recount(resident: Resident): void {
    this.#set(resident, wantedBy(resident));
  }

  /** The connection is gone. */
  release(resident: Resident): void {
    this.#set(resident, 0);
  }

  #set(resident: Resident, places: number): void {
    const more = places - resident.places;
    resident.places = places;
    if (more > 0) this.#admission.add(resident, more);
    else if (more < 0) this.#admission.remove(resident, -more);
  }

  #forgetOne(resident: Resident): boolean {
    const { client, channels, heard } = resident;
    const before = wantedBy(resident);
    if (before <= channels.size) return false;
    if (client.attendances.size === before && !forgetLeft(client)) return false;
    for (const oldest of heard?.size === before ? heard.keys() : []) {
      heard?.delete(oldest);
      break;
    }
    this.recount(resident);
    return true;
  }
}

function wantedBy({ channels, client, heard }: Resident): number {
  return Math.max(channels.size, client.attendances.size, heard?.size ?? 0);
}
