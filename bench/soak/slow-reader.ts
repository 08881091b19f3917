import { Type } from "typebox";
import { Compile } from "typebox/compile";
import WebSocket from "ws";
import { nowMs } from "../crowd/child.ts";
import { pause, repeat, type Scene } from "./scene.ts";

type Position = { readonly epoch: string; readonly offset: number };
type Reader = {
  readonly socket: WebSocket;
  readonly resume: string;
  readonly position: Position;
  readonly heardGap: boolean;
  readonly recovered: boolean;
};

const Ready = Compile(Type.Object({ resume: Type.String() }));
const Ack = Compile(
  Type.Tuple([
    Type.Object({
      ok: Type.Literal(true),
      epoch: Type.String(),
      offset: Type.Number(),
      recovered: Type.Boolean(),
    }),
  ]),
);

/**
 * A reader that stops reading in the loud channel. It must be cut off within this time, and be told the gap when it
 * comes back.
 */
export function stall(scene: Scene, atMostMs: number): Promise<void> {
  const { ledger } = scene;
  return repeat(scene, "slow reader", async () => {
    await pause(scene, 2_000, 10_000);
    if (scene.stopping.aborted) return;
    const { socket, resume, position } = await open(scene);
    socket.pause();
    const isCut = await isCutOff(scene, socket, atMostMs);
    socket.terminate();
    if (scene.stopping.aborted) return;
    if (isCut) ledger.count("slow readers cut off");
    else ledger.fault("a slow reader was not cut off", `within ${atMostMs} ms`);
    const again = await open(scene, { resume, position });
    again.socket.terminate();
    if (again.heardGap === again.recovered) {
      ledger.fault(
        "a slow reader was told both a gap and that nothing is missing, or neither",
        position.offset,
      );
    }
  });
}

/** Without reading, the end of a connection shows only when one writes to it. */
async function isCutOff(scene: Scene, socket: WebSocket, atMostMs: number): Promise<boolean> {
  const untilMs = nowMs() + atMostMs;
  while (socket.readyState === WebSocket.OPEN) {
    if (nowMs() > untilMs || scene.stopping.aborted) return false;
    socket.send("3");
    await pause(scene, 500, 500);
  }
  return true;
}

/** A member of the loud channel, by the bare protocol. */
function open(scene: Scene, before?: { resume: string; position: Position }): Promise<Reader> {
  const { url, apiKey, loudChannel: channel } = scene;
  const auth = { apiKey, resume: before?.resume };
  const join = { channel, since: before?.position };
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/realtime/?EIO=4&transport=websocket`, {
      perMessageDeflate: false,
    });
    let resume = "";
    let heardGap = false;
    socket.on("message", (data) => {
      const text = String(data);
      if (text === "2") socket.send("3");
      else if (text.startsWith("0{")) socket.send(`40${JSON.stringify(auth)}`);
      else if (text.startsWith("44")) reject(new Error(text));
      else if (text.startsWith('42["connection:ready"')) {
        resume = Ready.Parse(JSON.parse(text.slice(2))[1]).resume;
        socket.send(`420["join",${JSON.stringify(join)}]`);
      } else if (text.startsWith('42["channel:gap"')) heardGap = true;
      else if (text.startsWith("430")) {
        const [{ epoch, offset, recovered }] = Ack.Parse(JSON.parse(text.slice(3)));
        resolve({ socket, resume, position: { epoch, offset }, heardGap, recovered });
      }
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed before it had joined")));
  });
}
