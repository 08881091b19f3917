import { setTimeout as delay } from "node:timers/promises";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { nowMs } from "../crowd/child.ts";
import { newClient, pause, pick, repeat, type Scene } from "./scene.ts";
import type { VerifiedClient } from "./verified-client.ts";

const Sent = Compile(Type.Object({ ok: Type.Literal(true), epoch: Type.String(), offset: Type.Number() }));
const Published = Compile(Type.Object({ epoch: Type.String(), offset: Type.Number() }));
const Members = Compile(Type.Object({ members: Type.Array(Type.Object({ clientId: Type.String() })) }));

/** One publisher of a channel. One publish in fifty is sent twice under one id, and must count once. */
export async function publish(scene: Scene, channel: string, everyMs: number): Promise<void> {
  const client = newClient(scene);
  let n = 0;
  await client.connect();
  await repeat(scene, "publisher", async () => {
    await pause(scene, everyMs, everyMs);
    const message = { n, sentMs: nowMs(), d: "x".repeat(60) };
    n += 1;
    const isTwice = n % 50 === 0;
    const body = { channel, eventName: "tick", message, ...(isTwice ? { id: `${channel}-${n}` } : {}) };
    const first = Sent.Parse(await client.request("message", body));
    scene.ledger.count("publishes");
    if (!isTwice) return;
    const second = Sent.Parse(await client.request("message", body));
    if (second.epoch !== first.epoch || second.offset !== first.offset) {
      scene.ledger.fault("an id counted twice", JSON.stringify({ channel, first, second }));
    }
  });
  client.disconnect();
}

/** Publishes and reads over HTTP. */
export function callOverHttp(scene: Scene): Promise<void> {
  const { http, apiKey } = scene;
  return repeat(scene, "HTTP", async () => {
    await pause(scene, 100, 300);
    const channel = pick(scene, scene.channels);
    const body = { channel, eventName: "tick", message: { n: -1, sentMs: nowMs() } };
    Published.Parse(await http.call("POST", "/channels/publish", apiKey, body));
    const after = encodeURIComponent(channel);
    await http.call("GET", `/channels/members?channel=${after}&limit=10`, apiKey);
    await http.call("GET", `/channels/history?channel=${after}&limit=10`, apiKey);
    scene.ledger.count("HTTP rounds");
  });
}

/** A client that stays for a while: joins, leaves, changes its profile, loses its connection, comes back, goes. */
export function churn(scene: Scene): Promise<void> {
  return repeat(scene, "churn", async () => {
    const client = newClient(scene);
    try {
      await client.connect();
      const count = 1 + Math.floor(scene.random() * 3);
      for (let index = 0; index < count; index += 1) {
        const channel = pick(scene, scene.channels);
        if (!client.channels.includes(channel)) await client.join(channel);
      }
      const steps = 1 + Math.floor(scene.random() * 5);
      for (let step = 0; step < steps && !scene.stopping.aborted; step += 1) {
        await pause(scene, 500, 4_000);
        await takeStep(scene, client);
      }
    } finally {
      client.disconnect();
    }
    await pause(scene, 0, 1_000);
  });
}

async function takeStep(scene: Scene, client: VerifiedClient): Promise<void> {
  const dice = scene.random();
  if (dice < 0.25) {
    const channel = pick(scene, client.channels);
    await client.leave(channel);
    await client.join(channel);
  } else if (dice < 0.45) {
    await client.request("update", { data: { mood: Math.floor(scene.random() * 1_000) } });
    scene.ledger.count("profiles");
  } else if (dice < 0.8) {
    client.cut();
    await pause(scene, 0, 4_000);
    await client.connect();
  } else {
    const close = client.abandon();
    await client.connect();
    close();
    scene.ledger.count("takeovers");
  }
}

/** A key that loses and regains the right to its channels, beside those whose keys nobody touches. */
export async function editKeys(scene: Scene): Promise<void> {
  const { http, ledger } = scene;
  const granting = { channels: [{ pattern: "edited:*", actions: ["join", "publish"] }] };
  const key = await http.createKey({ name: "edited", ...granting });
  const clients = Array.from({ length: 10 }, () => newClient(scene, { apiKey: key.secret }));
  let { version } = key;
  for (const client of clients) await client.connect();
  await repeat(scene, "key edits", async () => {
    for (const client of clients) if (!client.channels.includes("edited:1")) await client.join("edited:1");
    version = await http.patchKey(key.id, version, { metadata: { edit: version } });
    await pause(scene, 1_000, 3_000);
    if (scene.stopping.aborted) return;
    version = await http.patchKey(key.id, version, { channels: [{ pattern: "other:*", actions: ["join"] }] });
    await delay(1_000);
    for (const client of clients) {
      const closed = client.closedChannels.splice(0);
      if (closed.length !== 1) ledger.fault("a withdrawn right", `closed: ${JSON.stringify(closed)}`);
      if (!client.isConnected) ledger.fault("closed by an edit that leaves it in", client.closings.join());
      client.forget("edited:1");
    }
    version = await http.patchKey(key.id, version, granting);
    ledger.count("key edits");
  });
  for (const client of clients) client.disconnect();
}

/** Keys that are made, used and deleted: their connections must hear it and end. */
export function revokeKeys(scene: Scene): Promise<void> {
  return repeat(scene, "revocations", async () => {
    const { http, ledger } = scene;
    const key = await http.createKey({ name: "short-lived" });
    const clients = Array.from({ length: 3 }, () => newClient(scene, { apiKey: key.secret }));
    for (const client of clients) {
      await client.connect();
      await client.join(pick(scene, scene.channels));
    }
    await pause(scene, 2_000, 6_000);
    await http.deleteKey(key.id, key.version);
    await delay(2_000);
    for (const client of clients) {
      if (client.isConnected) ledger.fault("a deleted key's connection is open", client.clientId);
      if (client.closings.length !== 1)
        ledger.fault("a deleted key's connection was not told", client.clientId);
      client.disconnect();
    }
    ledger.count("revocations");
  });
}

/** How long the farewell of one who polls may be on its way, after the members are asked for over another connection. */
const FAREWELL_MS = 5_000;

/** The members of every channel are exactly the steady ones when all others have gone. */
export async function checkMembers(scene: Scene, steady: readonly VerifiedClient[]): Promise<void> {
  const untilMs = nowMs() + FAREWELL_MS;
  for (const channel of scene.channels) {
    const expected = steady
      .filter((client) => client.channels.includes(channel))
      .map((client) => client.clientId);
    for (;;) {
      const path = `/channels/members?channel=${encodeURIComponent(channel)}&limit=1000`;
      const { members } = Members.Parse(await scene.http.call("GET", path, scene.apiKey));
      const found = members.map(({ clientId }) => clientId);
      if (JSON.stringify(found.toSorted()) === JSON.stringify(expected.toSorted())) break;
      if (nowMs() < untilMs) {
        await delay(100);
        continue;
      }
      const others = found.filter((clientId) => !expected.includes(clientId));
      scene.ledger.fault(
        "not the members that there are",
        `${channel}: ${found.length}, not ${expected.length}; ${others.join(", ")}`,
      );
      break;
    }
  }
}
