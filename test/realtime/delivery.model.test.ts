import { MemoryBroker } from "../../src/channels/index.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { WINDOWS } from "./model/channels.ts";
import { Broken, checkContract } from "./model/contract.ts";
import { Game } from "./model/game.ts";
import { planOf } from "./model/plan.ts";
import { checkMembers } from "./model/presence.ts";
import { describeTrace, type GameRecord } from "./model/trace.ts";

/**
 * Random plans over real sockets, WebSocket and polling mixed, held against a reference model of the delivery contract. A
 * seed repeats its plan (the network's timing is its own): SLUICE_MODEL_SEED=17 SLUICE_MODEL_RUNS=1 npx mocha -g "delivery model".
 */
const RUNS = Number(process.env["SLUICE_MODEL_RUNS"] ?? 100);
/** Games that are played side by side: most of the time each waits for the network. */
const AT_ONCE = Number(process.env["SLUICE_MODEL_AT_ONCE"] ?? 8);
const FIRST_SEED = Number(process.env["SLUICE_MODEL_SEED"] ?? 1);

const MAX_HISTORY_BYTES = 2 * 1024 * 1024 * 1024;

/** What the witness may be behind of the list. */
const PRESENCE_MS = 5_000;

describe("delivery model", () => {
  let server: TestServer;

  before(async () => {
    const channels = WINDOWS.map(({ suffix, window }) => ({
      pattern: `model:*:${suffix}`,
      history: { size: window, seconds: 120 },
    }));
    // What hundreds of games leave behind in two minutes is more than a server keeps: the oldest would be trimmed.
    const broker = new MemoryBroker({ channels, maxHistoryBytes: MAX_HISTORY_BYTES });
    server = await startServer({ config: { channels, maxOutboundBytes: 64 * 1024 }, broker });
  });
  after(() => server.close());

  it(`keeps its word through losses, stalls and edits of keys (${RUNS} seeds)`, async () => {
    let seed = FIRST_SEED;
    const faults: unknown[] = [];
    const playOn = async (): Promise<void> => {
      while (seed < FIRST_SEED + RUNS && faults.length === 0) {
        await play(server, seed++).catch((error: unknown) => faults.push(error));
      }
    };
    // Those that are being played come to their end, whatever another finds.
    await Promise.all(Array.from({ length: AT_ONCE }, playOn));
    if (faults.length > 0) throw faults[0];
  }).timeout(30_000 + RUNS * 5_000);
});

/** @throws with the seed, what was broken, and what those concerned saw. */
async function play(server: TestServer, seed: number): Promise<void> {
  const plan = planOf(seed);
  const game = new Game(server, plan);
  try {
    const record = await game.play();
    if (game.faults.length > 0) throw new Error(game.faults.join("\n"));
    checkContract(record);
    await game.thaw();
    for (const { name } of record.channels) await checkMembersSoon(game, record, name);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const traces =
      error instanceof Broken
        ? [...new Set(error.visits)].map((visit) => describeTrace(visit, error.channel))
        : [];
    throw new Error([`seed ${seed}: ${text}`, ...traces].join("\n"), { cause: error });
  } finally {
    game.close();
  }
}

/** Presence is told a little later than it is listed: looked at again until it agrees, for a while. */
async function checkMembersSoon(game: Game, record: GameRecord, channel: string): Promise<void> {
  const untilMs = performance.now() + PRESENCE_MS;
  for (;;) {
    try {
      checkMembers(record, channel, await game.members(channel));
      return;
    } catch (error) {
      if (performance.now() > untilMs) throw error;
    }
    await game.thaw();
  }
}
