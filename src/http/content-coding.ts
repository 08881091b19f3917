import { brotliDecompressSync, constants, gunzipSync, inflateSync } from "node:zlib";

/** How much of a body is decoded to see whether its coding is true, and how much may come out of it. */
const LOOK_BYTES = 16 * 1024;
const OUTPUT_BYTES = 64 * 1024;

/** From so many bytes on, compressed data has a control character among them. */
const TELLING_BYTES = 32;

/** What Node's `fetch` undoes by itself, while it leaves the header as it came. */
const UNDONE_BY_FETCH: ReadonlySet<string> = new Set(["gzip", "x-gzip", "deflate", "br"]);

const ZSTANDARD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

export type BodyStart = {
  readonly bytes: Buffer;
  /** Whether nothing comes after them. */
  readonly isWhole: boolean;
  /** Whether `fetch` made the answer. */
  readonly isFetched: boolean;
};

/**
 * Whether a body really has the `Content-Encoding` that it is said to have. `fetch` hands over decoded bytes beside the header of the
 * encoded ones, and `new Response(answer.body, answer)` carries both on, so the bytes are asked and not the header.
 *
 * @param coding the header's value; of several codings the outermost is looked at
 */
export function isCodingTrue(coding: string, { bytes, isWhole, isFetched }: BodyStart): boolean {
  const codings = coding.split(",").map((name) => name.trim().toLowerCase());
  if (isFetched && codings.every((name) => UNDONE_BY_FETCH.has(name))) return false;
  const start = bytes.subarray(0, LOOK_BYTES);
  const isCut = !isWhole || start.length < bytes.length;
  switch (codings.at(-1)) {
    case "gzip":
    case "x-gzip":
      return decodes(() => gunzipSync(start, zlibOptions(isCut)));
    case "deflate":
      return decodes(() => inflateSync(start, zlibOptions(isCut)));
    case "br":
      return !(isCut && isText(start)) && decodes(() => brotliDecompressSync(start, brotliOptions(isCut)));
    case "zstd":
      return start.subarray(0, ZSTANDARD_MAGIC.length).equals(ZSTANDARD_MAGIC);
    default:
      return false;
  }
}

/** The decoder accepts an end in the middle if it is to flush there. */
function zlibOptions(isCut: boolean) {
  const finishFlush = isCut ? constants.Z_SYNC_FLUSH : constants.Z_FINISH;
  return { maxOutputLength: OUTPUT_BYTES, finishFlush };
}

function brotliOptions(isCut: boolean) {
  const finishFlush = isCut ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_FINISH;
  return { maxOutputLength: OUTPUT_BYTES, finishFlush };
}

function decodes(decode: () => Buffer): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    // More came out than is looked at: so it could be decoded.
    return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
  }
}

/** Brotli has no mark at its beginning, and its decoder takes the beginning of a few texts for one of its own. */
function isText(bytes: Buffer): boolean {
  if (bytes.length < TELLING_BYTES) return false;
  return !bytes.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
}
