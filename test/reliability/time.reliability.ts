import { join } from "node:path";
import { expect } from "chai";
import { nowMs } from "../../bench/crowd/child.ts";
import { Crowd, type Summary } from "../../bench/crowd/crowd.ts";
import { type Key, ServerProcess } from "../../bench/crowd/server.ts";
import { type KeyStore, openKeyStore } from "../../src/keys/index.ts";
import { temporaryFolder } from "../keys/temporary-folder.ts";

const CONNECTIONS = 1_000;
const CHANNELS = Array.from({ length: 10 }, (_, index) => `room:${index}`);
const SWEEP_SECONDS = 1;
/** What a thousand may take on a machine that does other things too. */
const SLACK_MS = 2_000;

describe(`${CONNECTIONS} connections whose key ends without anybody asking this server`, () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let url: string;
  let server: ServerProcess;
  let crowd: Crowd;
  let bystander: Key;

  before(async () => {
    folder = temporaryFolder();
    url = `lmdb:${join(folder.path, "data")}`;
    server = await new ServerProcess().start(url, SWEEP_SECONDS);
    crowd = new Crowd();
    bystander = await server.createKey({ name: "bystander" });
    await open("bystanders", 20, bystander.secret);
  });
  afterEach(async () => {
    expect(await crowd.report("bystanders")).to.deep.include({ open: 20, gone: 0, told: {} });
  });
  after(async () => {
    await Promise.all([crowd?.stop(), server?.stop()]);
    folder.remove();
  });

  const open = (group: string, count: number, apiKey: string): Promise<number> =>
    crowd.open({
      group,
      count,
      port: server.port,
      apiKey,
      channels: CHANNELS,
      localAddresses: ["127.0.0.1"],
    });

  /** Without the presence right: a thousand who come and go are not to tell each other. */
  const keyOf = (name: string): Promise<Key> =>
    server.createKey({ name, channels: [{ pattern: "**", actions: ["join", "publish"] }] });

  /** The instant of the wall clock on the clock that the crowd uses. */
  const monotonic = (wallMs: number): number => nowMs() + (wallMs - Date.now());

  const expectAllGone = (seen: Summary, code: string, fromMs: number, withinMs: number): void => {
    const told = `told from ${(Number(seen.firstToldMs) - fromMs).toFixed(0)} to ${(Number(seen.lastToldMs) - fromMs).toFixed(0)} ms`;
    console.log(`      ${told}, gone at ${(Number(seen.lastGoneMs) - fromMs).toFixed(0)} ms`);
    expect(seen.told).to.deep.equal({ [code]: CONNECTIONS });
    expect(seen.gone).to.equal(CONNECTIONS);
    // The wall clock and the monotonic one are read one after the other.
    expect(Number(seen.firstToldMs) - fromMs).to.be.above(-2);
    expect(Number(seen.lastGoneMs) - fromMs).to.be.below(withinMs);
  };

  it("are told at the instant of expiry, and not before", async () => {
    const key = await keyOf("expires");
    await open("expires", CONNECTIONS, key.secret);
    const expiresAt = new Date(Date.now() + 1_500);
    const instantMs = monotonic(expiresAt.getTime());
    await server.admin("PATCH", `/keys/${key.id}`, { body: { expiresAt }, version: 1 });
    await crowd.gone("expires", CONNECTIONS, 10_000);
    expectAllGone(await crowd.report("expires"), "expired_api_key", instantMs, SLACK_MS);
  });

  it("are told when the overlap of a rotation ends, unless they came with the new secret", async () => {
    const key = await keyOf("rotates");
    await open("old", CONNECTIONS, key.secret);
    const { body, answeredMs } = await server.admin("POST", `/keys/${key.id}/rotate`, {
      body: { overlapSeconds: 5 },
      version: 1,
    });
    const { secret, secrets } = rotated(body);
    await open("new", 50, secret);
    expect(await crowd.report("old")).to.include({ open: CONNECTIONS });
    await crowd.gone("old", CONNECTIONS, 15_000);
    const untilMs = monotonic(Date.parse(secrets[1]?.validUntil ?? ""));
    expect(untilMs).to.be.above(answeredMs);
    expectAllGone(await crowd.report("old"), "invalid_api_key", untilMs, SLACK_MS);
    expect(await crowd.report("new")).to.deep.include({ open: 50, gone: 0, told: {} });
  });

  const writes: [string, string, (store: KeyStore, key: Key) => Promise<unknown>][] = [
    [
      "disabled",
      "disabled_api_key",
      (store, key) => store.update(key.id, 1, (s) => ({ ...s, enabled: false })),
    ],
    ["deleted", "invalid_api_key", (store, key) => store.delete(key.id)],
    [
      "rotated without overlap",
      "invalid_api_key",
      (store, key) => store.rotate(key.id, 1, { overlapUntil: null }),
    ],
  ];
  for (const [what, code, write] of writes) {
    it(`are caught by the sweep when another process has ${what} it`, async () => {
      const key = await keyOf(what);
      await open(what, CONNECTIONS, key.secret);
      // This process: nobody tells the server.
      const store = await openKeyStore(url);
      await write(store, key);
      const writtenMs = nowMs();
      await store.close();
      await crowd.gone(what, CONNECTIONS, 10_000);
      const seen = await crowd.report(what);
      expectAllGone(seen, code, writtenMs - SLACK_MS, SLACK_MS + SWEEP_SECONDS * 1_000 + SLACK_MS);
    });
  }

  it("are closed by a write of another process within the sweep also when it only changes an address list", async () => {
    const key = await keyOf("addresses");
    await open("addresses", CONNECTIONS, key.secret);
    const store = await openKeyStore(url);
    const writtenMs = nowMs();
    await store.update(key.id, 1, (s) => ({ ...s, ips: { mode: "specified", list: ["10.0.0.1"] } }));
    await store.close();
    await crowd.gone("addresses", CONNECTIONS, 10_000);
    const seen = await crowd.report("addresses");
    expectAllGone(seen, "ip_not_authorized", writtenMs, SWEEP_SECONDS * 1_000 + SLACK_MS);
  });
});

function rotated(body: unknown): { secret: string; secrets: { validUntil: string | null }[] } {
  if (
    typeof body === "object" &&
    body !== null &&
    "secret" in body &&
    typeof body.secret === "string" &&
    "secrets" in body &&
    Array.isArray(body.secrets)
  ) {
    return { secret: body.secret, secrets: body.secrets };
  }
  throw new Error(`not rotated: ${JSON.stringify(body)}`);
}
