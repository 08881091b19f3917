import { join } from "node:path";
import type { App } from "../listener/app.ts";
import { type MemoryFile, readFiles, sendFile, withText } from "./memory-files.ts";

/** No inline script or style, nothing from elsewhere, sockets to any host (the page's own, over any name of it). */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The SDK's files, which any page may load. `folder` holds what the build wrote. */
export function registerSdk(app: App, folder: string): void {
  app.register(async (scope) => {
    scope.addHook("onSend", async (_request, reply) => {
      reply.header("access-control-allow-origin", "*");
      reply.removeHeader("access-control-allow-credentials");
      reply.header("cross-origin-resource-policy", "cross-origin");
    });
    for (const file of readFiles(folder))
      scope.get(`/sdk/${file.path}`, (request, reply) => sendFile(request, reply, file));
  });
}

/** What the page's text has where the admin listener's address goes. */
const ADMIN_URL_MARK = "__ADMIN_URL__";

/** The development page at `/`. `adminUrl`: where the admin listener is reached, known once it listens. */
export function registerPage(app: App, folder: string, adminUrl: () => string): void {
  app.register(async (scope) => {
    scope.addHook("onSend", async (_request, reply) => {
      reply.header("content-security-policy", PAGE_POLICY);
      reply.header("referrer-policy", "no-referrer");
      reply.header("cache-control", "no-cache");
    });
    for (const file of readFiles(folder)) {
      const paths = file.path === "index.html" ? ["/", "/index.html"] : [`/${file.path}`];
      const text = file.path.endsWith(".html") ? file.bytes.toString("utf8") : "";
      const hasMark = text.includes(ADMIN_URL_MARK);
      const shown = (): MemoryFile =>
        hasMark ? withText(file, text.replaceAll(ADMIN_URL_MARK, adminUrl())) : file;
      for (const path of paths) scope.get(path, (request, reply) => sendFile(request, reply, shown()));
    }
  });
}

/** Where the build puts the files that the public listener serves. */
export const assetFolders = (distFolder: string): { sdk: string; page: string } => ({
  sdk: join(distFolder, "sdk"),
  page: join(distFolder, "page"),
});
