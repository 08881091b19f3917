import { createIdSource, type KeyStore } from "../keys/index.ts";
import { parseSettings } from "../policy/index.ts";
import { AdminToken } from "./admin-token.ts";
import { isUnshown, noteShown, setUnshown, textOf, type Unshown } from "./unshown.ts";

const DEVELOPMENT_KEY = "development-key-id";
const FIRST_VERSION = 1;

type DevelopmentKey = { readonly id: string; readonly secret: string };

/** What a start made and shows once. Both are absent on later starts. */
export type FirstStart = {
  readonly madeAdminToken: string | undefined;
  readonly madeDevelopmentKey: DevelopmentKey | undefined;
  /** Of an earlier start, if the key still exists. */
  readonly developmentKeyId: string | undefined;
};

export type PreparedStart = {
  readonly token: AdminToken;
  readonly firstStart: FirstStart;
  /**
   * What was made counts from here on. Before, the next start makes it anew.
   * @returns what of it is in force: another process on the store may have made its own meanwhile.
   */
  noteShown(): Promise<{ readonly inForce: FirstStart; readonly isAll: boolean }>;
};

/** Make what a new store lacks: the admin token, and with `dev` a key for the page on this machine. */
export async function prepareFirstStart(
  keys: KeyStore,
  options: { readonly adminToken: string | undefined; readonly dev: boolean },
): Promise<PreparedStart> {
  const { token, made } = await AdminToken.open(keys, options.adminToken);
  const key = options.dev ? await makeDevelopmentKey(keys) : undefined;
  const firstStart: FirstStart = {
    madeAdminToken: made?.value,
    madeDevelopmentKey: key?.value,
    developmentKeyId: key?.value.id ?? (await knownDevelopmentKey(keys)),
  };
  return {
    token,
    firstStart,
    async noteShown() {
      const isTokenValid = (await made?.noteShown()) ?? true;
      const isKeyValid = (await key?.noteShown()) ?? true;
      const inForce = {
        ...firstStart,
        ...(isTokenValid ? {} : { madeAdminToken: undefined }),
        ...(isKeyValid ? {} : { madeDevelopmentKey: undefined }),
      };
      return { inForce, isAll: isTokenValid && isKeyValid };
    },
  };
}

async function knownDevelopmentKey(keys: KeyStore): Promise<string | undefined> {
  const known = await keys.meta.get(DEVELOPMENT_KEY);
  if (known === undefined || isUnshown(known)) return undefined;
  return (await keys.get(known)) === undefined ? undefined : known;
}

/** @returns undefined when an earlier start has shown one. */
async function makeDevelopmentKey(keys: KeyStore): Promise<Unshown<DevelopmentKey> | undefined> {
  const known = await keys.meta.get(DEVELOPMENT_KEY);
  // Nobody knows this one's secret. At another version somebody has found the key and made it their own.
  if (known !== undefined && isUnshown(known)) await keys.delete(textOf(known), FIRST_VERSION);
  // The id is stored before the key is made, so that a start that fails in between leaves no key that nobody knows of.
  const id = createIdSource(Date.now)();
  if (!(await setUnshown(keys.meta, DEVELOPMENT_KEY, id))) return undefined;
  const { secret } = await keys.create(developmentSettings(), { id });
  return { value: { id, secret }, noteShown: () => noteShown(keys.meta, DEVELOPMENT_KEY, id) };
}

/** The key may do everything, for pages of this machine alone. */
function developmentSettings(): ReturnType<typeof parseSettings> {
  return parseSettings({
    name: "development",
    allowRealtime: true,
    endpoints: { mode: "full-access", list: [] },
    domains: { mode: "specified", list: ["localhost"] },
    ips: { mode: "specified", list: ["127.0.0.0/8", "::1"] },
  });
}
