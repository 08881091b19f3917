import { StoreUnavailableError } from "../../store/errors.ts";

/** The store did not take a change that takes rights away. It is in force in this process, and tried again until it is stored. */
export class UnstoredChangeError extends StoreUnavailableError {
  constructor(options?: ErrorOptions) {
    super("the change is in force here, but the store did not take it", options);
  }
}

/** A stored entry that this program cannot read: whoever asked with it is denied. */
export class UnreadableRecordError extends Error {
  override readonly name = "UnreadableRecordError";
  /** The key's id, or what the entry is when it is not a key. */
  readonly id: string;
  /** `newer_schema`: written by a newer program; it is left as it is. */
  readonly reason: "damaged" | "newer_schema";

  constructor(id: string, reason: "damaged" | "newer_schema", detail: string) {
    super(
      reason === "newer_schema"
        ? `${id} was written by a newer version of this program (${detail}): update this one`
        : `the stored record of ${id} is damaged: ${detail}`,
    );
    this.id = id;
    this.reason = reason;
  }
}

/** Another key has this secret already. */
export class DuplicateSecretError extends Error {
  override readonly name = "DuplicateSecretError";

  constructor() {
    super("another key has this secret already");
  }
}

/** There is a key with this id already. */
export class DuplicateIdError extends Error {
  override readonly name = "DuplicateIdError";
  readonly id: string;

  constructor(id: string) {
    super(`there is a key ${id} already`);
    this.id = id;
  }
}

/** A secret that could never be looked up; the message never shows it. */
export class InvalidSecretError extends Error {
  override readonly name = "InvalidSecretError";
}

/** A cursor that no page of this list gave. */
export class InvalidCursorError extends Error {
  override readonly name = "InvalidCursorError";

  constructor() {
    super("this cursor does not come from a page of this list");
  }
}
