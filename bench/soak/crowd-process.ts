import { setMaxListeners } from "node:events";
import { Compile } from "typebox/compile";
import { answerCalls } from "../crowd/child.ts";
import { callOverHttp, checkMembers, churn, editKeys, publish, revokeKeys } from "./actors.ts";
import { Begin, type Report } from "./crowd.ts";
import { HttpDoor } from "./door.ts";
import { Ledger } from "./ledger.ts";
import { createRandom, newClient, type Scene } from "./scene.ts";
import { stall } from "./slow-reader.ts";
import type { VerifiedClient } from "./verified-client.ts";

/** The clients of a soak that verify what they hear, and those that come and go, in one process. */
const begin = Compile(Begin);
const ledger = new Ledger();
const steady: VerifiedClient[] = [];
const stop = new AbortController();
// Every actor listens while it pauses.
setMaxListeners(0, stop.signal);
let scene: Scene | undefined;
let actors: Promise<void>[] = [];

process.on("unhandledRejection", (error) => ledger.fault("an unhandled rejection", error));

answerCalls({
  async begin(argument) {
    const { url, adminUrl, apiKey, seed, steadyMembers, churners, slowReaders, stallMs, ...rest } =
      begin.Parse(argument);
    const http = new HttpDoor(url, adminUrl);
    const shared = { ...rest, url, apiKey, http, ledger, stopping: stop.signal };
    const random = createRandom(seed);
    const main: Scene = { ...shared, random };
    scene = main;
    for (let index = 0; index < steadyMembers; index += 1) {
      const client = newClient(main, index % 10 === 0 ? { isTimed: true, transport: "websocket" } : {});
      await client.connect();
      await client.join(rest.channels[index % rest.channels.length] ?? "");
      steady.push(client);
    }
    const ownScene = (): Scene => ({ ...shared, random: createRandom(random() * 2 ** 32) });
    actors = [
      ...rest.channels.map((channel) => publish(ownScene(), channel, 100)),
      ...Array.from({ length: churners }, () => churn(ownScene())),
      ...Array.from({ length: slowReaders }, () => stall(ownScene(), stallMs)),
      callOverHttp(ownScene()),
      editKeys(ownScene()),
      revokeKeys(ownScene()),
    ].map((actor) => actor.catch((error: unknown) => ledger.fault("an actor ended", error)));
  },
  report(): Report {
    const { counts, faults, latenciesMs } = ledger.drain();
    return { counts, faults, latenciesMs };
  },
  /** Everyone but the steady members goes; then who is a member is compared, and the steady ones go. */
  async end(): Promise<Report> {
    stop.abort();
    await Promise.all(actors);
    if (scene !== undefined) await checkMembers(scene, steady);
    for (const client of steady) {
      if (!client.isConnected) ledger.fault("a steady member was cut off", client.closings.join());
      client.disconnect();
    }
    scene?.http.close();
    return ledger.drain();
  },
});
