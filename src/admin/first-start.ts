import type { KeyStore } from "../keys/index.ts";
import { parseSettings } from "../policy/index.ts";
import { AdminToken } from "./admin-token.ts";

const DEVELOPMENT_KEY = "development-key-id";

/** What a start made and shows once. Both are absent on later starts. */
export type FirstStart = {
  readonly token: AdminToken;
  readonly madeAdminToken: string | undefined;
  readonly madeDevelopmentKey: { readonly id: string; readonly secret: string } | undefined;
  /** Of an earlier start, if the key still exists. */
  readonly developmentKeyId: string | undefined;
};

/** Make what a new store lacks: the admin token, and with `dev` a key for the page on this machine. */
export async function prepareFirstStart(
  keys: KeyStore,
  options: { readonly adminToken: string | undefined; readonly dev: boolean },
): Promise<FirstStart> {
  const { token, made } = await AdminToken.open(keys, options.adminToken);
  const known = await keys.meta.get(DEVELOPMENT_KEY);
  const base = { token, madeAdminToken: made };
  if (known !== undefined) {
    const exists = (await keys.get(known)) !== undefined;
    return { ...base, madeDevelopmentKey: undefined, developmentKeyId: exists ? known : undefined };
  }
  if (!options.dev) return { ...base, madeDevelopmentKey: undefined, developmentKeyId: undefined };
  const settings = parseSettings({
    name: "development",
    allowRealtime: true,
    endpoints: { mode: "full-access", list: [] },
    domains: { mode: "specified", list: ["localhost"] },
    ips: { mode: "specified", list: ["127.0.0.0/8", "::1"] },
  });
  const { record, secret } = await keys.create(settings);
  await keys.meta.setIfAbsent(DEVELOPMENT_KEY, record.id);
  return { ...base, madeDevelopmentKey: { id: record.id, secret }, developmentKeyId: record.id };
}
