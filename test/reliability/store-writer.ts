import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { answerCalls } from "../../bench/crowd/child.ts";
import { type KeyStore, openKeyStore } from "../../src/keys/index.ts";

/** A process that writes what it is told into the store that it is told to open. */
const Target = Compile(Type.Object({ id: Type.String(), version: Type.Number() }));
const Nonce = Compile(Type.Object({ nonce: Type.String() }));
const Overlap = Compile(Type.Object({ overlapUntil: Type.Union([Type.String(), Type.Null()]) }));
const Url = Compile(Type.Object({ url: Type.String() }));
let opened: KeyStore | undefined;

answerCalls({
  async open(argument) {
    opened = await openKeyStore(Url.Parse(argument).url);
    return null;
  },
  async create(argument) {
    const { record, secret } = await store().create({ name: Nonce.Parse(argument).nonce });
    return { id: record.id, secret, version: record.version };
  },
  async update(argument) {
    const { id, version } = Target.Parse(argument);
    const name = Nonce.Parse(argument).nonce;
    return succeeded(await store().update(id, version, () => ({ name }))).record.version;
  },
  async rotate(argument) {
    const { id, version } = Target.Parse(argument);
    const { record, secret } = succeeded(await store().rotate(id, version, Overlap.Parse(argument)));
    return { version: record.version, secret };
  },
  async remove(argument) {
    const { id, version } = Target.Parse(argument);
    succeeded(await store().delete(id, version));
    return null;
  },
});

function store(): KeyStore {
  if (opened === undefined) throw new Error("open comes first");
  return opened;
}

function succeeded<Result extends { readonly ok: boolean }>(result: Result): Result & { readonly ok: true } {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result)}`);
  return { ...result, ok: true };
}
