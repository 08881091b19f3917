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
};

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
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const bytes = readFileSync(file);
      return {
        path: relative(folder, file).split(sep).join("/"),
        bytes,
        type: TYPES[extname(entry.name)] ?? "application/octet-stream",
        etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
      };
    });
}

/** Answers with a file, or with 304 to who has it. The bytes are sent as they are: no ranges, no encodings. */
export function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { bytes, type, etag }: MemoryFile,
): FastifyReply {
  reply.header("etag", etag);
  if (!reply.hasHeader("cache-control")) reply.header("cache-control", "public, max-age=0");
  if (isKnown(request.headers["if-none-match"], etag)) return reply.code(304).send();
  return reply.type(type).send(bytes);
}

/** RFC 9110, 13.1.2: the comparison is weak. */
function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((one) => one.trim().replace(/^W\//, "") === etag || one.trim() === "*");
}
