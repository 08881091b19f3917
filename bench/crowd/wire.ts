import { Agent, request } from "node:http";
import WebSocket from "ws";

/** One Engine.IO connection by the bare protocol: a client library would cost this process what it is to measure. */
export type Wire = { send(packet: string): void };

export type WireEvents = {
  readonly onPacket: (packet: string) => void;
  /** Once, however it ended. `error` where it is known. */
  readonly onEnd: (error?: Error) => void;
};

export type WireOptions = { readonly port: number; readonly localAddress: string };

const SEPARATOR = "\x1e";

export function openWebSocket({ port, localAddress }: WireOptions, events: WireEvents): Wire {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/realtime/?EIO=4&transport=websocket`, {
    localAddress,
    perMessageDeflate: false,
    skipUTF8Validation: true,
  });
  let failure: Error | undefined;
  socket.on("message", (data) => events.onPacket(String(data)));
  socket.on("error", (error) => {
    failure = error;
  });
  socket.on("close", () => events.onEnd(failure));
  return { send: (packet) => socket.send(packet) };
}

/** Polls until it is refused or told that it is over. */
export function openPolling({ port, localAddress }: WireOptions, events: WireEvents): Wire {
  const agent = new Agent({ keepAlive: true, localAddress });
  let path = "/realtime/?EIO=4&transport=polling";
  let isOver = false;
  const outgoing: string[] = [];
  let isPosting = false;

  const end = (error?: Error): void => {
    if (isOver) return;
    isOver = true;
    agent.destroy();
    events.onEnd(error);
  };
  const exchange = (
    method: "GET" | "POST",
    body: string | undefined,
    onText: (text: string) => void,
  ): void => {
    const headers = body === undefined ? {} : { "content-type": "text/plain;charset=UTF-8" };
    const sent = request({ host: "127.0.0.1", port, path, method, agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += String(chunk);
      });
      response.on("error", end);
      response.on("end", () => {
        if (response.statusCode === 200) onText(text);
        else end(new Error(`${response.statusCode} ${text}`));
      });
    });
    sent.on("error", end);
    sent.end(body);
  };
  const poll = (): void => {
    exchange("GET", undefined, (text) => {
      for (const packet of text.split(SEPARATOR)) {
        if (packet.startsWith("0{")) path += `&sid=${JSON.parse(packet.slice(1)).sid}`;
        if (packet === "1") end();
        else if (packet !== "6") events.onPacket(packet);
      }
      if (!isOver) poll();
    });
  };
  const post = (): void => {
    if (isPosting || isOver || outgoing.length === 0) return;
    isPosting = true;
    exchange("POST", outgoing.splice(0).join(SEPARATOR), () => {
      isPosting = false;
      post();
    });
  };
  poll();
  return {
    send(packet) {
      outgoing.push(packet);
      post();
    },
  };
}
