import { openKeyStore } from "../../src/keys/index.ts";

/**
 * A second process on a store, driven through its standard input and output, one JSON value per line: it does
 * what it is told and answers. `race` changes a key at the versions that it is told, `disable` disables it; `create` makes keys without end
 * and tells of each once it is acknowledged; `fill` makes keys until the disk refuses; `count` reports uses of a key
 * and appends to the log and to the chain of deeds as often as it is told; `meta` sets a value;
 * `many` makes 300 keys at once, without end.
 */
const [url = "", task = ""] = process.argv.slice(2);
const store = await openKeyStore(url);

if (task === "race") {
  tell("ready");
  for await (const line of linesOf(process.stdin)) {
    const { id, version } = JSON.parse(line);
    const result = await store.update(id, version, (settings) => ({ ...settings, by: process.pid }));
    tell(result.ok ? "won" : result.reason);
  }
} else if (task === "disable") {
  tell("ready");
  for await (const line of linesOf(process.stdin)) {
    const { id, version } = JSON.parse(line);
    const result = await store.update(id, version, (settings) => ({ ...settings, enabled: false }));
    tell(result.ok ? "done" : result.reason);
  }
} else if (task === "create") {
  for (;;) {
    const { record, secret } = await store.create({ name: "kept" });
    const updated = await store.update(record.id, 1, () => ({ name: "kept twice" }));
    if (!updated.ok) throw new Error(updated.reason);
    tell({ id: record.id, secret });
  }
} else if (task === "count") {
  tell("ready");
  for await (const line of linesOf(process.stdin)) {
    const { id, times } = JSON.parse(line);
    const at = new Date().toISOString();
    for (let n = 0; n < times; n += 1) {
      await store.recordUsage([{ id, lastUsedAt: at, allowed: 1, denied: { expired_api_key: 2 } }]);
      await store.log.append([{ at, text: `${process.pid}` }], { durable: false });
      await store.deeds.append([{ at, text: `${process.pid}` }]);
    }
    tell("done");
  }
} else if (task === "meta") {
  await store.meta.set("admin-token", `set by ${process.pid}`);
  tell({ pid: process.pid });
} else if (task === "many") {
  for (;;) tell(await store.createMany(Array.from({ length: 300 }, () => ({ settings: {} }))));
} else if (task === "once") {
  tell({ before: true });
  const { record } = await store.create({ name: "traced" });
  tell({ acknowledged: record.id });
} else if (task === "fill") {
  process.on("unhandledRejection", (error) => tell({ unhandled: String(error) }));
  const kept: string[] = [];
  const faults = new Set<string>();
  for (let n = 0; n < 300; n += 1) {
    try {
      kept.push((await store.create({ text: "x".repeat(2000) })).secret);
    } catch (error) {
      faults.add(error instanceof Error ? error.name : "no error");
    }
  }
  let found = 0;
  for (const secret of kept) if ((await store.findBySecret(secret)) !== undefined) found += 1;
  tell({ kept: kept.length, found, faults: [...faults] });
}
await store.close();

function tell(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function* linesOf(stream: AsyncIterable<unknown>): AsyncGenerator<string, void> {
  let text = "";
  for await (const chunk of stream) {
    const lines = (text + String(chunk)).split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
}
