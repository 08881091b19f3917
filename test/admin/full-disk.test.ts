import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { MemoryStorage } from "../../src/store/memory-storage.ts";
import { itIfThere } from "../helpers/needs.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";
import { temporaryFolder } from "../keys/temporary-folder.ts";

const RIGHTS = { allowRealtime: true, endpoints: { mode: "full-access" } };

describe("a key that is revoked while the disk is full", () => {
  const { commit } = MemoryStorage.prototype;
  let server: TestServer;

  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(async () => {
    MemoryStorage.prototype.commit = commit;
    await server.close();
  });
  const fill = (): void => {
    MemoryStorage.prototype.commit = () => Promise.reject(new Error("ENOSPC"));
  };

  it("loses its connections and its calls at once, and the answer says that it is not stored", async () => {
    const key = await server.createKey(RIGHTS);
    const client = await new SocketClient(server.url, { apiKey: key.secret }).ready();
    fill();
    const answer = await server.patchKey(key.id, { enabled: false });
    expect(answer.status).to.equal(503);
    expect(answer.body).to.include({ code: "unavailable", enforced: true, stored: false });
    expect(await client.next("connection:closing")).to.include({ code: "disabled_api_key" });
    expect(await refusalOf(server, key.secret)).to.equal("disabled_api_key");
    const { body } = await server.admin(`/keys/${key.id}`);
    expect(body).to.include({ state: "disabled", version: 1 });
    expect(body["unstored"]).to.include({ change: "changed" });
    expect((await fetch(`${server.url}/readyz`)).status).to.equal(503);
    const ready = await server.admin("/ready");
    expect(JSON.stringify(ready.body)).to.include("1 changes of keys are in force here and not stored");
    const widened = await server.patchKey(key.id, { enabled: true });
    expect(widened.status).to.equal(503);
    expect(widened.body).to.not.have.property("enforced");
    expect(await refusalOf(server, key.secret)).to.equal("disabled_api_key");
    MemoryStorage.prototype.commit = commit;
    const stored = await server.patchKey(key.id, { name: "renamed" });
    expect(stored.status).to.equal(200);
    expect(stored.body).to.include({ state: "disabled", version: 2, unstored: null });
    expect(JSON.stringify((await server.admin("/ready")).body)).to.not.include(
      "changes of keys are in force",
    );
  });

  it("is known to nobody when it is deleted, or its secret has been replaced", async () => {
    const [deleted, rotated] = [await server.createKey(RIGHTS), await server.createKey(RIGHTS)];
    expect(await refusalOf(server, deleted.secret)).to.equal("not_found");
    fill();
    const answers = [
      await server.deleteKey(deleted.id),
      await server.admin(`/keys/${rotated.id}/rotate`, { method: "POST", body: { overlapSeconds: 0 } }),
    ];
    for (const { status, body } of answers) {
      expect(status).to.equal(503);
      expect(body).to.include({ enforced: true, stored: false }).and.not.have.property("secret");
    }
    for (const { secret } of [deleted, rotated]) {
      expect(await refusalOf(server, secret)).to.equal("invalid_api_key");
    }
    expect((await server.admin(`/keys/${deleted.id}`)).body["unstored"]).to.include({ change: "deleted" });
  });
});

const canMount = ((): boolean => {
  const folder = temporaryFolder();
  const isMounted = mountSmall(folder.path);
  if (isMounted) spawnSync("umount", [folder.path]);
  folder.remove();
  return isMounted;
})();

describe("a key that is revoked on a disk that is really full", () => {
  itIfThere(
    "is refused, and is stored when there is room",
    canMount ? undefined : "the right to mount",
    async () => {
      const folder = temporaryFolder();
      mountSmall(folder.path);
      const server = await startServer({ config: { store: `lmdb:${join(folder.path, "data")}` } });
      try {
        const key = await server.createKey(RIGHTS);
        const client = await new SocketClient(server.url, { apiKey: key.secret }).ready();
        const filler = join(folder.path, "filler");
        for (let bytes = 1_048_576; bytes >= 4_096; bytes /= 2) fillWith(filler, bytes);
        // What the store's own file has room for is used up, too.
        const body = { name: "filler", metadata: { text: "x".repeat(3_000) } };
        let refused = 0;
        for (let n = 0; n < 500 && refused < 10; n += 1) {
          const { status } = await server.admin("/keys", { method: "POST", body });
          refused = status === 503 ? refused + 1 : 0;
        }
        expect(refused).to.equal(10);
        // As large as what did not fit.
        const revoked = await server.patchKey(key.id, { enabled: false, metadata: body.metadata });
        expect([revoked.status, revoked.body["enforced"]]).to.deep.equal([503, true]);
        expect(await client.next("connection:closing")).to.include({ code: "disabled_api_key" });
        expect(await refusalOf(server, key.secret)).to.equal("disabled_api_key");
        rmSync(filler);
        // It is stored by itself within seconds, or by this write.
        const renamed = await server.patchKey(key.id, { name: "renamed" });
        expect(renamed.status).to.equal(200);
        expect(renamed.body).to.include({ state: "disabled", unstored: null });
      } finally {
        await server.close();
        spawnSync("umount", [folder.path]);
        folder.remove();
      }
    },
  );
});

function mountSmall(path: string): boolean {
  return spawnSync("mount", ["-t", "tmpfs", "-o", "size=600k", "tmpfs", path]).status === 0;
}

/** Adds as many bytes to a file, if they fit. */
function fillWith(file: string, bytes: number): void {
  try {
    writeFileSync(file, Buffer.alloc(bytes), { flag: "a" });
  } catch {
    // Less than that is free.
  }
}

async function refusalOf(server: TestServer, secret: string): Promise<unknown> {
  const response = await fetch(`${server.url}/api/nothing`, { headers: { "x-api-key": secret } });
  const problem: unknown = await response.json();
  return typeof problem === "object" && problem !== null && "code" in problem ? problem.code : undefined;
}
