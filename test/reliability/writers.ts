import { extname } from "node:path";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { Child } from "../../bench/crowd/child.ts";
import { type Answer, type Key, ServerProcess } from "../../bench/crowd/server.ts";

const STORE_WRITER = new URL(`store-writer${extname(import.meta.url)}`, import.meta.url).href;
const Created = Type.Object({ id: Type.String(), secret: Type.String(), version: Type.Number() });
const Rotated = Type.Object({ version: Type.Number(), secret: Type.String() });
const Versioned = Type.Object({ version: Type.Number() });
const readRotated = Compile(Rotated);
const readVersioned = Compile(Versioned);

/** A process that writes keys and can be killed. Each call resolves when the write is acknowledged. */
export interface Writer {
  /** The process has loaded its program; from here on it uses the store. */
  open(url: string): Promise<void>;
  create(nonce: string): Promise<Key>;
  update(id: string, version: number, nonce: string): Promise<number>;
  rotate(id: string, version: number, overlapSeconds: number): Promise<{ version: number; secret: string }>;
  remove(id: string, version: number): Promise<void>;
  kill(): Promise<void>;
}

/** Writes through a key store of its own. */
export class StoreWriter implements Writer {
  readonly #child = new Child(STORE_WRITER);

  async open(url: string): Promise<void> {
    await this.#child.call(Type.Null(), "open", { url });
  }

  create(nonce: string): Promise<Key> {
    return this.#child.call(Created, "create", { nonce });
  }

  update(id: string, version: number, nonce: string): Promise<number> {
    return this.#child.call(Type.Number(), "update", { id, version, nonce });
  }

  rotate(id: string, version: number, overlapSeconds: number): Promise<{ version: number; secret: string }> {
    const overlapUntil =
      overlapSeconds === 0 ? null : new Date(Date.now() + overlapSeconds * 1_000).toISOString();
    return this.#child.call(Rotated, "rotate", { id, version, overlapUntil });
  }

  async remove(id: string, version: number): Promise<void> {
    await this.#child.call(Type.Null(), "remove", { id, version });
  }

  kill(): Promise<void> {
    return this.#child.stop("SIGKILL");
  }
}

/** Writes through the admin API of a whole server. */
export class ServerWriter implements Writer {
  readonly server = new ServerProcess();

  async open(url: string): Promise<void> {
    await this.server.start(url);
  }

  create(nonce: string): Promise<Key> {
    return this.server.createKey({ name: nonce });
  }

  async update(id: string, version: number, nonce: string): Promise<number> {
    const answer = await this.server.admin("PATCH", `/keys/${id}`, { body: { name: nonce }, version });
    return readVersioned.Parse(bodyOf(answer, 200)).version;
  }

  async rotate(
    id: string,
    version: number,
    overlapSeconds: number,
  ): Promise<{ version: number; secret: string }> {
    const body = { overlapSeconds };
    const answer = await this.server.admin("POST", `/keys/${id}/rotate`, { body, version });
    const { version: now, secret } = readRotated.Parse(bodyOf(answer, 200));
    return { version: now, secret };
  }

  async remove(id: string, version: number): Promise<void> {
    bodyOf(await this.server.admin("DELETE", `/keys/${id}`, { version }), 204);
  }

  kill(): Promise<void> {
    return this.server.stop("SIGKILL");
  }
}

function bodyOf(answer: Answer, status: number): unknown {
  if (answer.status !== status) throw new Error(`refused: ${JSON.stringify(answer)}`);
  return answer.body;
}
