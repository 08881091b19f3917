import { createHash, timingSafeEqual } from "node:crypto";
import { customAlphabet } from "nanoid";
import type { KeyStore } from "../keys/index.ts";
import { type Refusal, refuse } from "../protocol/index.ts";

const META_NAME = "admin-token-digest";
const makeToken = customAlphabet("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 40);

/** Whether a request may manage keys: it knows the admin token, of which only the digest is kept. */
export class AdminToken {
  readonly #digest: Buffer;

  private constructor(digest: Buffer) {
    this.#digest = digest;
  }

  /**
   * The token from the configuration, else the one made at first start.
   * @returns the token's text as well when it was made just now: it is shown once.
   */
  static async open(
    keys: KeyStore,
    configured: string | undefined,
  ): Promise<{ token: AdminToken; made?: string }> {
    if (configured !== undefined) return { token: new AdminToken(digestOf(configured)) };
    const stored = await keys.meta.get(META_NAME);
    if (stored !== undefined) return { token: new AdminToken(Buffer.from(stored, "hex")) };
    const made = `sla_${makeToken()}`;
    const digest = digestOf(made);
    // Another process on the same store may be first: then its token is the one.
    const { stored: isOurs, value } = await keys.meta.setIfAbsent(META_NAME, digest.toString("hex"));
    return isOurs
      ? { token: new AdminToken(digest), made }
      : { token: new AdminToken(Buffer.from(value, "hex")) };
  }

  /** Check an `Authorization` header: undefined when it is right. Takes the same time for every wrong token. */
  check(authorization: string | undefined): Refusal | undefined {
    if (authorization === undefined || authorization === "") return refuse("missing_admin_token");
    const [scheme = "", token = "", ...rest] = authorization.split(" ");
    const matches = timingSafeEqual(digestOf(token), this.#digest);
    return matches && scheme.toLowerCase() === "bearer" && rest.length === 0
      ? undefined
      : refuse("invalid_admin_token");
  }
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
