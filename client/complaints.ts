import type { SluiceError } from "./result.ts";

/** Codes that were said once; there are not many, and they are no longer said. */
const MAX_CODES = 50;

/**
 * What nobody listens to is said on the console, once for each code: without a listener a wrong key, or a page on a domain that the key does
 * not list, would look like a page where nothing happens.
 */
export class Complaints {
  readonly #isQuiet: boolean;
  readonly #said = new Set<string>();

  constructor(isQuiet: boolean) {
    this.#isQuiet = isQuiet;
  }

  say({ code, message }: SluiceError): void {
    if (this.#isQuiet || this.#said.has(code) || this.#said.size >= MAX_CODES) return;
    this.#said.add(code);
    console.warn(`sluice: ${code}: ${message}`);
  }
}
