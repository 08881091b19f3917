/** The store cannot be reached or failed: retryable, and never to be read as "not found". */
export class StoreUnavailableError extends Error {
  override readonly name = "StoreUnavailableError";
  readonly code = "unavailable";

  constructor(message = "the key store is away", options?: ErrorOptions) {
    super(message, options);
  }
}

/** A store URL that nothing here opens; the message shows its scheme only, because URLs carry passwords. */
export class StoreUrlError extends Error {
  override readonly name = "StoreUrlError";
}
