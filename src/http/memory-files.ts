import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import type { FastifyReply, FastifyRequest } from "fastify";

/** A file as it was at the start. */
export type MemoryFile = {
  /** Below its folder, with slashes. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly type: string;
  readonly etag: string;
  /** The same bytes compressed, as the build left them beside the file, best first. */
  readonly encoded: readonly EncodedFile[];
};

type EncodedFile = { readonly encoding: string; readonly bytes: Buffer; readonly etag: string };

/** What the build adds to a file's name for its compressed forms. */
const ENCODINGS = [
  { suffix: ".br", encoding: "br" },
  { suffix: ".gz", encoding: "gzip" },
] as const;

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2",
};

/**
 * All files below a folder, read once. Answering with them opens nothing: with a file opened for each answer, clients that do not
 * read would hold descriptors, and all of them share these bytes.
 */
export function readFiles(folder: string): readonly MemoryFile[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name));
  const all = new Set(files);
  const isCompressed = (file: string): boolean =>
    ENCODINGS.some(({ suffix }) => file.endsWith(suffix) && all.has(file.slice(0, -suffix.length)));
  return files
    .filter((file) => !isCompressed(file))
    .map((file) => {
      const path = relative(folder, file).split(sep).join("/");
      const type = TYPES[extname(file)] ?? "application/octet-stream";
      return memoryFile(path, type, readFileSync(file), (suffix) =>
        all.has(file + suffix) ? readFileSync(file + suffix) : undefined,
      );
    });
}

function memoryFile(
  path: string,
  type: string,
  bytes: Buffer,
  compressed: (suffix: string) => Buffer | undefined,
): MemoryFile {
  const digest = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  const encoded = ENCODINGS.flatMap(({ suffix, encoding }) => {
    const small = compressed(suffix);
    return small === undefined ? [] : [{ encoding, bytes: small, etag: `"${digest}-${encoding}"` }];
  });
  return { path, bytes, type, etag: `"${digest}"`, encoded };
}

/** The file with another text, which is not compressed. */
export function withText(file: MemoryFile, text: string): MemoryFile {
  return memoryFile(file.path, file.type, Buffer.from(text), () => undefined);
}

/** Answers with a file, or with 304 to who has it: compressed for whoever takes that, without ranges. */
export function sendFile(request: FastifyRequest, reply: FastifyReply, file: MemoryFile): FastifyReply {
  const accepted = request.headers["accept-encoding"];
  const chosen = file.encoded.find(({ encoding }) => isAccepted(accepted, encoding));
  const { bytes, etag } = chosen ?? file;
  if (file.encoded.length > 0) addVary(reply, "accept-encoding");
  reply.header("etag", etag);
  if (!reply.hasHeader("cache-control")) reply.header("cache-control", "public, max-age=0");
  if (isKnown(request.headers["if-none-match"], etag)) return reply.code(304).send();
  if (chosen !== undefined) reply.header("content-encoding", chosen.encoding);
  return reply.type(file.type).send(bytes);
}

/** Beside what an answer varies by already: a header that is set again replaces it. */
function addVary(reply: FastifyReply, name: string): void {
  const before = reply.getHeader("vary");
  const names = before === undefined ? [] : [before].flat().map((one) => String(one));
  if (
    names.some((one) =>
      one
        .toLowerCase()
        .split(/\s*,\s*/)
        .includes(name),
    )
  )
    return;
  reply.header("vary", [...names, name].join(", "));
}

/** RFC 9110, 12.5.3: named with a weight above 0, or covered by `*`. Without the header nothing is compressed. */
function isAccepted(header: string | string[] | undefined, encoding: string): boolean {
  const weights = new Map<string, boolean>();
  for (const part of String(header ?? "").split(",")) {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    weights.set(name, !parameters.some((parameter) => /^q\s*=\s*0(?:\.0{0,3})?$/.test(parameter)));
  }
  return weights.get(encoding) ?? weights.get("*") ?? false;
}

/** RFC 9110, 13.1.2: the comparison is weak. */
function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((one) => one.trim().replace(/^W\//, "") === etag || one.trim() === "*");
}
