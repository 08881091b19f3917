import { createHash } from "node:crypto";
import type { TestServer } from "./server.ts";

/** Thousands of keys at once, as a backup brings them. @returns their ids, in order */
export async function importKeys(
  server: TestServer,
  count: number,
  settingsOf: (index: number) => Record<string, unknown>,
): Promise<string[]> {
  const at = new Date().toISOString();
  const keys = Array.from({ length: count }, (_, index) => ({
    schema: 1,
    id: `key_${String(index).padStart(12, "0")}`,
    version: 1,
    settings: settingsOf(index),
    secrets: [
      {
        digest: createHash("sha256").update(`many ${index}`).digest("base64url"),
        hint: `slc_…${String(index).padStart(4, "0").slice(-4)}`,
        validUntil: null,
      },
    ],
    createdAt: at,
    updatedAt: at,
  }));
  const { status, body } = await server.admin("/keys/import", { method: "POST", body: { keys } });
  if (status !== 200) throw new Error(`the keys were not imported: ${JSON.stringify(body).slice(0, 500)}`);
  return keys.map(({ id }) => id);
}
