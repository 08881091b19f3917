import { createHash, timingSafeEqual } from "node:crypto";
import { customAlphabet } from "nanoid";
import type { KeyStore } from "../keys/index.ts";

const META_NAME = "admin-token-digest";
const makeToken = customAlphabet("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 40);

/** Proof that a request may manage keys: it knows the admin token, of which only the digest is kept. */
export class AdminToken {
  readonly #keys: KeyStore;
  /** Of the token in the configuration, which the store's does not replace. */
  readonly #configured: Buffer | undefined;

  private constructor(keys: KeyStore, configured: Buffer | undefined) {
    this.#keys = keys;
    this.#configured = configured;
  }

  /**
   * The token from the configuration, else the one made at first start.
   * @returns the token's text as well when it was made just now: it is shown once.
   */
  static async open(
    keys: KeyStore,
    configured: string | undefined,
  ): Promise<{ token: AdminToken; made?: string }> {
    if (configured !== undefined) return { token: new AdminToken(keys, digestOf(configured)) };
    const token = new AdminToken(keys, undefined);
    if ((await keys.meta.get(META_NAME)) !== undefined) return { token };
    const made = newToken();
    // Another process on the same store may be first: then its token is the one.
    const { stored } = await keys.meta.setIfAbsent(META_NAME, digestOf(made).toString("hex"));
    return stored ? { token, made } : { token };
  }

  /** Of the token in force. The store is asked each time: another process may have rotated it. */
  async fingerprint(): Promise<string> {
    return this.#configured?.toString("hex") ?? (await this.#keys.meta.get(META_NAME)) ?? "";
  }

  /** Whether this is the token. @returns its fingerprint when it is */
  async matches(text: string): Promise<string | undefined> {
    const fingerprint = await this.fingerprint();
    const digest = Buffer.from(fingerprint, "hex");
    const given = digestOf(text);
    // Compared in constant time; equal lengths always, since both are digests.
    return digest.length === given.length && timingSafeEqual(given, digest) ? fingerprint : undefined;
  }

  /** Make a new token and forget the old one. @returns undefined where the configuration sets the token. */
  async rotate(): Promise<string | undefined> {
    if (this.#configured !== undefined) return undefined;
    return resetAdminToken(this.#keys);
  }
}

/** Forget the stored token, whatever it was, and make another: for whoever can write the store's folder. */
export async function resetAdminToken(keys: KeyStore): Promise<string> {
  const made = newToken();
  await keys.meta.set(META_NAME, digestOf(made).toString("hex"));
  return made;
}

function newToken(): string {
  return `sla_${makeToken()}`;
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
