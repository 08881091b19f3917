import type { AttackedServer } from "./attacked-server.ts";
import { ATTACKS } from "./attacks/index.ts";
import { type OverloadSize, runAttack, startAttacked } from "./overload.ts";

/** Small enough for each run of CI, which runs nothing beside it; `npm run test:overload` is the same at full size. */
const SIZE: OverloadSize = {
  ...{ scale: 0.2, seconds: 2, heapMb: 512, openFiles: 1_024 },
  ...{ p50Ms: 50, p99Ms: 500, warmUpMs: 300 },
};

describe("one server with a heap of 512 MB and 1,024 files, under one attack after the other", () => {
  let server: AttackedServer;

  before(async () => {
    server = await startAttacked(SIZE);
  });
  after(() => server?.stop());

  for (const [name, { title }] of ATTACKS) {
    it(`${title}: an honest client loses nothing (${name})`, async function () {
      this.timeout(60_000);
      const line = await runAttack(server, name, SIZE);
      console.log(`      ${line}`);
    });
  }
});
