import { join } from "node:path";
import { expect } from "chai";
import { type KeyStore, openKeyStore } from "../../src/keys/index.ts";
import { toRecord } from "../helpers/record.ts";
import { temporaryFolder } from "../keys/temporary-folder.ts";
import { type Acknowledged, Ledger } from "./ledger.ts";
import { ServerWriter, StoreWriter, type Writer } from "./writers.ts";

const KILLS = Number(process.env["KILLS"] ?? 200);
/** A quarter of them end a whole server that is written to through its admin API. */
const SERVER_KILLS = Math.ceil(KILLS / 4);
const SURVIVED_KILLS = Math.ceil(KILLS / 10);
const STORE_KILLS = KILLS - SERVER_KILLS - SURVIVED_KILLS;
const MAX_LIFE_MS = 120;

describe("keys on LMDB, whose process is killed while it writes", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let url: string;
  const writers = new Set<Writer>();

  beforeEach(() => {
    folder = temporaryFolder();
    url = `lmdb:${join(folder.path, "data")}`;
  });
  afterEach(async () => {
    await Promise.all([...writers].map((writer) => writer.kill()));
    writers.clear();
    folder.remove();
  });

  /** Processes that load their program while another one is being killed. */
  async function eachOf<Kind extends Writer>(
    make: () => Kind,
    kills: number,
    work: (writer: Kind) => Promise<void>,
  ): Promise<void> {
    const made = (): Kind => {
      const writer = make();
      writers.add(writer);
      return writer;
    };
    let next = made();
    for (let kill = 1; kill <= kills; kill += 1) {
      const writer = next;
      if (kill < kills) next = made();
      await work(writer);
      writers.delete(writer);
    }
  }

  const lifeMs = (): number => Math.random() * MAX_LIFE_MS;

  it(`has everything that was acknowledged and nothing half after each of ${STORE_KILLS} kills`, async () => {
    const ledger = new Ledger();
    await eachOf(
      () => new StoreWriter(),
      STORE_KILLS,
      async (writer) => {
        await writer.open(url);
        await ledger.writeUntilKilled(writer, lifeMs());
        await ledger.verify(url);
      },
    );
    expectRealKills(ledger, STORE_KILLS);
  });

  it(`has everything that the admin API answered for after each of ${SERVER_KILLS} kills of the server`, async () => {
    const ledger = new Ledger();
    let before: Acknowledged[] = [];
    const look = async ({ server }: ServerWriter): Promise<void> => {
      const { good, bad } = ledger.secrets();
      const statuses = async (secrets: string[]) =>
        new Set(await Promise.all(secrets.map((secret) => server.statusOf(secret))));
      if (good.length > 0) expect([...(await statuses(good))]).to.deep.equal([200]);
      if (bad.length > 0) expect([...(await statuses(bad.slice(-50)))]).to.deep.equal([401]);
      expect(await missingFromAudit(server, before)).to.deep.equal([]);
    };
    await eachOf(
      () => new ServerWriter(),
      SERVER_KILLS,
      async (writer) => {
        await writer.open(url);
        await look(writer);
        before = await ledger.writeUntilKilled(writer, lifeMs());
        await ledger.verify(url);
      },
    );
    const last = new ServerWriter();
    writers.add(last);
    await last.open(url);
    await look(last);
    expectRealKills(ledger, SERVER_KILLS);
  });

  it(`lets another process go on writing after each of ${SURVIVED_KILLS} kills`, async () => {
    const ledger = new Ledger();
    const survivor = await openKeyStore(url);
    const { record } = await survivor.create({ n: 0 });
    const counting = countUp(survivor, record.id);
    await eachOf(
      () => new StoreWriter(),
      SURVIVED_KILLS,
      async (writer) => {
        await writer.open(url);
        await ledger.writeUntilKilled(writer, lifeMs());
        // The dead process may have held LMDB's lock: the survivor's next writes get it.
        const { version } = counting;
        await counting.until(version + 2);
      },
    );
    const { version } = await counting.stop();
    expect(await survivor.get(record.id)).to.deep.include({ version, settings: { n: version - 1 } });
    await survivor.delete(record.id);
    await survivor.close();
    await ledger.verify(url);
  });

  function expectRealKills(ledger: Ledger, kills: number): void {
    const { acknowledged, unanswered, unansweredButDone } = ledger;
    console.log(
      `      ${kills} kills, ${unanswered} in the middle of writes; ${acknowledged} writes acknowledged, ` +
        `${unansweredButDone} done and not answered`,
    );
    // Otherwise the kills came between the writes and showed nothing.
    expect(unanswered).to.be.above(kills * 0.9);
    expect(acknowledged).to.be.above(kills * 5);
  }
});

/** One key of the survivor, changed without end. */
function countUp(store: KeyStore, id: string) {
  const state = { version: 1, stopped: false };
  const wakes = new Set<() => void>();
  const running = (async () => {
    while (!state.stopped) {
      const result = await store.update(id, state.version, () => ({ n: state.version }));
      if (!result.ok) throw new Error(result.reason);
      state.version = result.record.version;
      for (const wake of wakes) wake();
    }
  })();
  return {
    get version() {
      return state.version;
    },
    until: (version: number) =>
      Promise.race([
        running,
        new Promise<void>((resolve) => {
          const look = (): void => {
            if (state.version < version) return;
            wakes.delete(look);
            resolve();
          };
          wakes.add(look);
          look();
        }),
      ]),
    async stop() {
      state.stopped = true;
      await running;
      return { version: state.version };
    },
  };
}

/** Acknowledged writes that the audit does not have. */
async function missingFromAudit(
  server: ServerWriter["server"],
  writes: readonly Acknowledged[],
): Promise<string[]> {
  const kept = new Map<string, number>();
  let before = "";
  for (let page = 0; page < 10; page += 1) {
    const answer = await server.admin("GET", `/audit?limit=500${before}`);
    const { items, next } = toRecord(answer.body);
    if (!Array.isArray(items)) throw new Error(JSON.stringify(answer));
    for (const { action, keyId } of items) {
      kept.set(`${action} ${keyId}`, (kept.get(`${action} ${keyId}`) ?? 0) + 1);
    }
    if (typeof next !== "string") break;
    before = `&before=${next}`;
  }
  const missing: string[] = [];
  for (const { action, keyId } of writes) {
    const name = `${action} ${keyId}`;
    const count = kept.get(name) ?? 0;
    if (count === 0) missing.push(name);
    else kept.set(name, count - 1);
  }
  return missing;
}
