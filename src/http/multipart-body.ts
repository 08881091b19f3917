import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { Busboy, type BusboyFileStream, type BusboyInstance } from "@fastify/busboy";
import { BodyError } from "../listener/body-error.ts";
import { refuse } from "../protocol/index.ts";

/** What one body may consist of, besides its bytes in all, which its endpoint bounds. */
const MULTIPART_LIMITS = {
  parts: 1_000,
  files: 100,
  fieldBytes: 256 * 1024,
  headerBytes: 16 * 1024,
  headerLines: 32,
} as const;

/** RFC 2046, 5.1.1. */
const MAX_BOUNDARY_LENGTH = 70;

export type FormField = { readonly kind: "field"; readonly name: string; readonly value: string };
export type FormFile = {
  readonly kind: "file";
  readonly name: string;
  /** As the client says it, without folders; undefined where it says none. */
  readonly filename: string | undefined;
  /** As the client says it. */
  readonly mediaType: string;
  /** Its bytes as they come. Read it before you ask for the next part, which discards what is left of it. */
  readonly stream: Readable;
};
export type FormPart = FormField | FormFile;

const BRAND = Symbol.for("sluice.MultipartBody");

/**
 * A `multipart/form-data` body, read as its handler asks for the parts: `for await (const part of body)`. Nothing is read before, and
 * no more than a chunk is kept. A part that is left unread is discarded when the next one is asked for, the rest when
 * the answer is sent, so that neither the handler nor the connection waits for it.
 *
 * Iterating throws when the body is too large, has too many parts, is no multipart or ends early; what is thrown on is answered as such.
 */
export class MultipartBody implements AsyncIterable<FormPart> {
  readonly [BRAND] = true;
  readonly #payload: IncomingMessage;
  readonly #parser: BusboyInstance;
  readonly #maxBytes: number;
  readonly #parts: FormPart[] = [];
  #current: FormPart | undefined;
  #receivedBytes = 0;
  #state: "unread" | "reading" | "done" | "failed" = "unread";
  #failure: Error | undefined;
  #isWriting = false;
  #wake: (() => void) | undefined;

  /** @throws {BodyError} for a head that says no boundary, or too many bytes */
  constructor(payload: IncomingMessage, maxBytes: number) {
    this.#payload = payload;
    this.#maxBytes = maxBytes;
    if (Number(payload.headers["content-length"] ?? 0) > maxBytes)
      throw new BodyError(refuse("payload_too_large"));
    this.#parser = parserOf(payload.headers["content-type"] ?? "");
    this.#parser.on("field", (name: string | undefined, value, _isNameCut, isCut) => {
      const most = `a field has at most ${MULTIPART_LIMITS.fieldBytes} bytes: send what is larger as a file`;
      if (name === undefined) this.#fail(new BodyError(refuse("invalid_request", "a part has no name")));
      else if (isCut) this.#fail(new BodyError(refuse("payload_too_large", most)));
      else this.#add({ kind: "field", name, value });
    });
    this.#parser.on(
      "file",
      (name: string | undefined, source, filename: string | undefined, _encoding, mediaType) => {
        const stream = new FileStream(source);
        if (name === undefined) this.#fail(new BodyError(refuse("invalid_request", "a part has no name")));
        this.#add({ kind: "file", name: name ?? "", filename, mediaType, stream });
      },
    );
    this.#parser.on("partsLimit", () => this.#failAtLimit(`${MULTIPART_LIMITS.parts} parts`));
    this.#parser.on("filesLimit", () => this.#failAtLimit(`${MULTIPART_LIMITS.files} files`));
    this.#parser.on("finish", () => this.#finish());
    this.#parser.on("error", () =>
      this.#fail(new BodyError(refuse("invalid_request", "the body is no multipart"))),
    );
  }

  /** Also true of one that another copy of this package made: a config file may import one, and the command be another. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  /** The parts in their order. A second loop goes on where the first one stopped. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FormPart, void, undefined> {
    this.#begin();
    for (;;) {
      discard(this.#current, "the next part was asked for before this file was read to its end");
      const next = this.#parts.shift();
      this.#current = next;
      this.#readOn();
      if (next !== undefined) {
        yield next;
        continue;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#state === "done") return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The answer is with the client, or the client is gone: nobody wants the rest. */
  end(): void {
    if (this.#state === "reading" || this.#state === "unread")
      this.#fail(new Error("the call is over: the rest of its body was discarded"));
  }

  #begin(): void {
    if (this.#state !== "unread") return;
    this.#state = "reading";
    this.#payload.on("data", this.#onData);
    this.#payload.on("end", this.#onEnd);
    this.#payload.on("error", this.#onCut);
    this.#payload.on("close", this.#onCut);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > this.#maxBytes) {
      this.#fail(new BodyError(refuse("payload_too_large")));
      return;
    }
    this.#payload.pause();
    this.#isWriting = true;
    // Called when the files in it have been read: their reader sets the pace.
    this.#parser.write(chunk, () => {
      this.#isWriting = false;
      this.#readOn();
    });
  };

  readonly #onEnd = (): void => {
    this.#parser.end();
  };

  readonly #onCut = (): void => {
    if (!this.#payload.complete) this.#fail(new BodyError(refuse("invalid_request", "the body ended early")));
  };

  /** The next chunk is taken when the parts of the one before were. */
  #readOn(): void {
    if (this.#state === "reading" && !this.#isWriting && this.#parts.length === 0) this.#payload.resume();
  }

  #add(part: FormPart): void {
    if (this.#state === "failed") discard(part, "the body was refused");
    else this.#parts.push(part);
    this.#wakeReader();
  }

  #finish(): void {
    if (this.#state === "failed") return;
    this.#state = "done";
    this.#release();
    this.#wakeReader();
  }

  #failAtLimit(most: string): void {
    this.#fail(new BodyError(refuse("payload_too_large", `a multipart body has at most ${most}`)));
  }

  #fail(error: Error): void {
    if (this.#state === "failed" || this.#state === "done") return;
    this.#state = "failed";
    this.#failure = error;
    this.#release();
    for (const part of [this.#current, ...this.#parts.splice(0)]) discard(part, error);
    this.#wakeReader();
  }

  /** What still comes is dropped. */
  #release(): void {
    this.#payload.off("data", this.#onData);
    this.#payload.off("end", this.#onEnd);
    this.#payload.off("close", this.#onCut);
    this.#payload.resume();
  }

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** One file. The parser's own stream is read to its end whatever its reader does: destroyed, it would stop the parser for good. */
class FileStream extends Readable {
  readonly #source: BusboyFileStream;

  constructor(source: BusboyFileStream) {
    super({ highWaterMark: 64 * 1024 });
    this.#source = source;
    source.on("data", (chunk: Buffer) => {
      if (!this.destroyed && !this.push(chunk)) source.pause();
    });
    source.on("end", () => {
      if (!this.destroyed) this.push(null);
    });
    source.on("error", () => this.destroy(new BodyError(refuse("invalid_request", "the body ended early"))));
    // Whoever reads it hears of it; where nobody does, the loop over the parts throws it.
    this.on("error", () => {});
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#source.resume();
    done(error);
  }
}

function discard(part: FormPart | undefined, why: string | Error): void {
  if (part?.kind !== "file" || part.stream.readableEnded || part.stream.destroyed) return;
  part.stream.destroy(typeof why === "string" ? new Error(why) : why);
}

/** @throws {BodyError} */
function parserOf(contentType: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { "content-type": checked(contentType) },
      limits: {
        parts: MULTIPART_LIMITS.parts,
        files: MULTIPART_LIMITS.files,
        fieldSize: MULTIPART_LIMITS.fieldBytes,
        headerPairs: MULTIPART_LIMITS.headerLines,
        headerSize: MULTIPART_LIMITS.headerBytes,
      },
    });
  } catch {
    throw new BodyError(refuse("invalid_request", "the Content-Type of a multipart body has one boundary"));
  }
}

/** @throws TypeError without exactly one boundary of a usable length */
function checked(contentType: string): string {
  const boundaries = [...contentType.matchAll(/;\s*boundary\s*=\s*(?:"([^"]*)"|([^\s;]*))/gi)];
  const boundary = boundaries[0]?.[1] ?? boundaries[0]?.[2] ?? "";
  if (boundaries.length === 1 && boundary !== "" && boundary.length <= MAX_BOUNDARY_LENGTH)
    return contentType;
  throw new TypeError("no boundary");
}
