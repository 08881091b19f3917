import { createHash, timingSafeEqual } from "node:crypto";
import { customAlphabet } from "nanoid";
import type { KeyStore } from "../keys/index.ts";
import { noteShown, setUnshown, textOf, type Unshown } from "./unshown.ts";

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
   * The token from the configuration, else the one made at first start. One that was made and never shown, because the
   * start failed in between, is replaced.
   * @returns the token's text as well when it was made just now, and how to note that it was shown.
   */
  static async open(
    keys: KeyStore,
    configured: string | undefined,
  ): Promise<{ token: AdminToken; made?: Unshown<string> }> {
    if (configured !== undefined) return { token: new AdminToken(keys, digestOf(configured)) };
    const token = new AdminToken(keys, undefined);
    const made = newToken();
    const digest = digestOf(made).toString("hex");
    if (!(await setUnshown(keys.meta, META_NAME, digest))) return { token };
    return { token, made: { value: made, noteShown: () => noteShown(keys.meta, META_NAME, digest) } };
  }

  /** Of the token in force. The store is asked each time: another process may have rotated it. */
  async fingerprint(): Promise<string> {
    if (this.#configured !== undefined) return this.#configured.toString("hex");
    return textOf((await this.#keys.meta.get(META_NAME)) ?? "");
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
