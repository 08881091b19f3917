import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { io } from "socket.io-client";
import { startPeer } from "../../bench/peers/peer.ts";
import { ROOT } from "../docs/documents.ts";
import { untilGone } from "../helpers/process-end.ts";

describe("a server that is measured", () => {
  it("delivers the same messages with and without the fast path", async () => {
    for (const kind of ["sluice", "sluice-rooms"] as const) {
      const peer = await startPeer(kind, { channels: 1, each: 1, ids: false });
      const auth = JSON.parse(
        /(?<=^S:40)\{.*/.exec(peer.loadArguments.find((arg) => arg.startsWith("S:40{")) ?? "")?.[0] ?? "{}",
      );
      const client = io(`http://127.0.0.1:${peer.port}`, {
        path: "/realtime/",
        transports: ["websocket"],
        auth,
      });
      try {
        await client.emitWithAck("join", { channel: "room-0" });
        const heard = new Promise((resolve) => client.once("m", ({ message }) => resolve(message)));
        await client.emitWithAck("message", { channel: "room-0", eventName: "m", message: { kind } });
        expect(await heard).to.deep.equal({ kind });
      } finally {
        client.disconnect();
        await peer.stop();
      }
    }
  });

  it("ends with the bench, however that ends", async () => {
    const module = JSON.stringify(join(ROOT, "bench", "processes.ts"));
    const program = `
      const { spawnOn } = await import(${module});
      console.log(spawnOn(0, "sleep", ["60"], { stdio: "ignore" }).pid);
      process.on("message", () => {});`;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const bench = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", program], {
        cwd: ROOT,
        stdio: ["ignore", "pipe", "inherit", "ipc"],
      });
      if (bench.stdout === null) throw new Error("no output");
      const [pid] = await once(createInterface(bench.stdout), "line");
      const ended = once(bench, "exit");
      bench.kill(signal);
      await ended;
      await untilGone(Number(pid));
    }
  });
});
