/** What one owner has on this node. */
export type OwnerLoad = {
  /** A key's id, or `address <group>`. */
  readonly name: string;
  readonly connections: number;
  /** Bytes that wait for its clients, or of its clients' requests that wait. */
  readonly heldBytes: number;
  /** Microseconds of work lately, fading. */
  readonly work: number;
};

/** What makes an owner heavy: depends on which resource is short. */
export type SheddingCause = "heap" | "memory" | "loopDelay" | "descriptors";

/** Of an owner's connections, how many are closed at a time. */
const BATCH_SHARE = 1 / 4;
const MIN_BATCH = 8;

/** What weighs less than this is not worth closing: it would help nobody. */
const MIN_HELD_BYTES = 1024 * 1024;
const MIN_WORK = 10_000;
const MIN_CONNECTIONS = 8;

export type Shedding = { readonly name: string; readonly connections: number };

/**
 * Whose connections are closed, and how many of them: those of the owner that weighs most, if it weighs at least its fair share
 * of all (the whole divided by the number of owners) and enough to matter. Whoever weighs less than its fair share is never
 * chosen, since the heaviest of all weighs at least that. Pure.
 */
export function chooseShedding(owners: readonly OwnerLoad[], cause: SheddingCause): Shedding | undefined {
  let [held, work, connections] = [0, 0, 0];
  for (const owner of owners) {
    held += owner.heldBytes;
    work += owner.work;
    connections += owner.connections;
  }
  const share = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
  const weightOf = (owner: OwnerLoad): number => {
    if (cause === "descriptors") return share(owner.connections, connections);
    if (cause === "loopDelay") return share(owner.work, work);
    return (share(owner.heldBytes, held) + share(owner.work, work)) / 2;
  };
  let heaviest: OwnerLoad | undefined;
  let heaviestWeight = 0;
  for (const owner of owners) {
    const weight = weightOf(owner);
    if (weight <= heaviestWeight) continue;
    heaviest = owner;
    heaviestWeight = weight;
  }
  if (heaviest === undefined || !isWorthwhile(heaviest, cause)) return undefined;
  const batch = Math.max(MIN_BATCH, Math.ceil(heaviest.connections * BATCH_SHARE));
  return { name: heaviest.name, connections: Math.min(batch, heaviest.connections) };
}

function isWorthwhile({ heldBytes, work, connections }: OwnerLoad, cause: SheddingCause): boolean {
  if (cause === "descriptors") return connections >= MIN_CONNECTIONS;
  return work >= MIN_WORK || (cause !== "loopDelay" && heldBytes >= MIN_HELD_BYTES);
}
