import { openKeyStorage } from "../../src/keys/index.ts";
import { describeKeyStore } from "../contract/key-store.ts";
import { temporaryFolder } from "./temporary-folder.ts";

describeKeyStore("memory", async () => ({
  open: () => openKeyStorage("memory:"),
  dispose: async () => undefined,
}));

describeKeyStore("LMDB", async () => {
  const folder = temporaryFolder();
  return { open: () => openKeyStorage(`lmdb:${folder.path}`), dispose: async () => folder.remove() };
});
