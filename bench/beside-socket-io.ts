import { buildLoadClient } from "./load/load-client.ts";
import { inPairs } from "./pairs.ts";
import type { PeerKind } from "./peers/peer.ts";
import { Comparisons, compare } from "./report/comparison.ts";
import { type Quantities, quantityTable } from "./report/connections.ts";
import { provenance } from "./report/kept.ts";
import { keep } from "./results.ts";

type Bench<T> = {
  readonly name: string;
  readonly quantities: Quantities;
  readonly measure: (loadClient: string, kind: PeerKind) => Promise<T>;
  /** Of one measurement, what is kept under each name. */
  readonly values: Readonly<Record<string, (measured: T) => number>>;
};

/** Measure Sluice and plain Socket.IO in pairs, as often as the first argument says (3), and print the table. */
export async function besideSocketIo<T>({ name, quantities, measure, values }: Bench<T>): Promise<void> {
  const [argument = "3"] = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
  const rounds = Number(argument);
  if (!(rounds >= 1)) throw new Error(`"${argument}" is no number of rounds`);
  const loadClient = buildLoadClient();
  if (loadClient === undefined) return;
  const measured = provenance();
  const pairs = await inPairs(
    rounds,
    () => measure(loadClient, "sluice"),
    () => measure(loadClient, "socket.io"),
  );
  const comparisons = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      compare(measured, pairs, (one) => ({ value: value(one) })),
    ]),
  );
  console.log(quantityTable(quantities, comparisons));
  keep(name, Comparisons, () => comparisons);
}
