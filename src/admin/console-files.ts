import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply } from "fastify";
import { refuse } from "../protocol/index.ts";

/** What the build leaves in index.html where the nonce of each answer goes. */
const NONCE_MARK = "__CSP_NONCE__";
const NONCE_BYTES = 18;

const ASSETS = "assets/";
const KEPT_FOR_GOOD = { cacheControl: true, maxAge: 365 * 24 * 60 * 60 * 1_000, immutable: true } as const;

/** Beside index.html: icons and the like. Everything else below `/console` is a page of the console itself. */
const ROOT_FILE = /^[\w-]+\.(svg|png|ico|txt|webmanifest)$/;

/**
 * Nothing from elsewhere, no inline script. Styles of the component library come in `<style>` elements that carry the
 * nonce; those that scripts set on an element are no attributes and need no permission.
 */
function policy(nonce: string | undefined): string {
  const style = nonce === undefined ? "'self'" : `'self' 'nonce-${nonce}'`;
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${style}`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}

const HEADERS = {
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "x-frame-options": "DENY",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
} as const;

const NOT_BUILT = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>Sluice</title></head>
  <body>
    <h1>The console is not built</h1>
    <p>Run <code>npm run build</code>, then load this page again. The admin API is at <code>/admin/v1</code>.</p>
  </body>
</html>
`;

/** The console's files at `/console`, as the build wrote them to `folder`; it may come after the start. */
export function registerConsole(app: FastifyInstance, folder: string): void {
  app.get("/", async (_request, reply) => reply.redirect("/console"));
  app.register(
    async (scope) => {
      await scope.register(fastifyStatic, {
        root: folder,
        serve: false,
        cacheControl: false,
        acceptRanges: false,
        preCompressed: true,
        dotfiles: "ignore",
      });
      scope.addHook("onSend", async (_request, reply) => {
        reply.headers(HEADERS);
        if (!reply.hasHeader("content-security-policy"))
          reply.header("content-security-policy", policy(undefined));
      });
      scope.setNotFoundHandler((_request, reply) =>
        reply.removeHeader("cache-control").refuse(refuse("not_found")),
      );
      scope.get("/", (_request, reply) => sendIndex(reply, folder));
      scope.get<{ Params: { "*": string } }>("/*", async (request, reply) => {
        const path = request.params["*"];
        // Their names hold a digest of what is in them.
        if (path.startsWith(ASSETS))
          return reply.header("vary", "accept-encoding").sendFile(path, KEPT_FOR_GOOD);
        if (ROOT_FILE.test(path)) return reply.header("cache-control", "no-cache").sendFile(path);
        return sendIndex(reply, folder);
      });
    },
    { prefix: "/console" },
  );
}

async function sendIndex(reply: FastifyReply, folder: string): Promise<FastifyReply> {
  reply.type("text/html; charset=utf-8").header("cache-control", "no-store");
  const html = await readIndex(join(folder, "index.html"));
  if (html === undefined) return reply.code(503).send(NOT_BUILT);
  const nonce = randomBytes(NONCE_BYTES).toString("base64");
  reply.header("content-security-policy", policy(nonce));
  return reply.send(html.replaceAll(NONCE_MARK, nonce));
}

async function readIndex(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
