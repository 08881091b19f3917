import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/**
 * A style sheet in the head keeps everything white until it is there; behind the first words it does not. What Mantine's provider
 * sets then comes before it, and wins by its selector.
 */
function stylesBehindText(): Plugin {
  return {
    name: "styles-behind-text",
    enforce: "post",
    apply: "build",
    transformIndexHtml: (html) => {
      const links = html.match(/^\s*<link rel="stylesheet"[^>]*>\n/gm) ?? [];
      const without = links.reduce((text, link) => text.replace(link, ""), html);
      return without.replace("    <noscript>", `${links.join("")}    <noscript>`);
    },
  };
}

/** `npx vite console` serves the sources and asks the admin listener of a running server for the rest. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/console/",
  plugins: [react(), stylesBehindText()],
  build: {
    outDir: "../dist/console",
    emptyOutDir: true,
    target: "es2022",
    // Data URLs would need no request, but every file of the console is cached for good.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
    reportCompressedSize: false,
  },
  server: {
    proxy: { "/admin/v1": process.env["SLUICE_ADMIN_URL"] ?? "http://127.0.0.1:8081" },
  },
});
