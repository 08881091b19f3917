/** What an attacker has: a place, a key of its own for those that use one, and a size. */
export type AttackContext = {
  readonly port: number;
  readonly secret: string;
  readonly localAddress: string;
  /** 1: as the full suite has it; a share of it in the small version. */
  readonly scale: number;
  /** Whether its time is over; it ends by itself then, and leaves its connections open. */
  readonly isOver: () => boolean;
};

export type Attack = {
  readonly title: string;
  /** Settings of the attacker's key, beside realtime. */
  readonly key?: object;
  /** What is kept of it for a time that is promised (two minutes for who may come back), in MB; absent: nothing that counts. */
  readonly keepsMb?: number;
  /** @returns what it did, in a line. @throws when a promise to somebody else of its key was broken. */
  run(context: AttackContext): Promise<string>;
};
