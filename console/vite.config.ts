import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** `npx vite console` serves the sources and asks the admin listener of a running server for the rest. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/console/",
  plugins: [react()],
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
