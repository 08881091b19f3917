import { ATTACKS } from "./attacks/index.ts";
import { type OverloadSize, runAttack, startAttacked } from "./overload.ts";

const HEAPS = [undefined, 512] as const;
const SECONDS = Number(process.env["SECONDS_EACH"] ?? 15);
/** The limits of what an honest client may notice, on a machine that does nothing else. */
const BOUNDS = { p50Ms: 20, p99Ms: 100, warmUpMs: 2_000 };

for (const heapMb of HEAPS) {
  const heap = heapMb === undefined ? "the default heap" : `a heap of ${heapMb} MB`;
  describe(`with ${heap}, an honest client does not notice`, () => {
    for (const [name, { title }] of ATTACKS) {
      it(`${title} (${name})`, async () => {
        const size: OverloadSize = { scale: 1, seconds: SECONDS, heapMb, openFiles: 8_192, ...BOUNDS };
        const server = await startAttacked(size);
        try {
          console.log(`      ${await runAttack(server, name, size)}`);
        } finally {
          await server.stop();
        }
      });
    }
  });
}
