/**
 * What the tests need besides npm packages: Chromium for the browser suites, some programs, and a current build. What is
 * missing is installed where it may be; where it may not, the tests that need it are skipped by name (or fail, when CI is
 * set).
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { inPath, provide } from "./debian-packages.mjs";

provide([
  {
    what: "Chromium",
    file: process.env.CHROMIUM_PATH || "/usr/bin/chromium",
    movedBy: process.env.CHROMIUM_PATH ? "CHROMIUM_PATH" : undefined,
    packages: ["chromium", "fonts-dejavu-core"],
    users: "the browser suites",
  },
  {
    // It starts and draws with half the processor time.
    what: "Chromium without windows",
    file: process.env.CHROMIUM_PATH || "/usr/bin/chromium-headless-shell",
    movedBy: process.env.CHROMIUM_PATH ? "CHROMIUM_PATH" : undefined,
    packages: ["chromium-headless-shell"],
    users: "the browser suites",
  },
  { what: "curl", file: inPath("curl"), packages: ["curl"], users: "the documents' commands" },
  {
    what: "Apache",
    file: inPath("apache2"),
    packages: ["apache2"],
    users: "the documents' configurations of proxies",
  },
  {
    what: "Caddy",
    file: inPath("caddy"),
    packages: ["caddy"],
    users: "the documents' configurations of proxies",
  },
  {
    what: "HAProxy",
    file: inPath("haproxy"),
    packages: ["haproxy"],
    users: "the documents' configurations of proxies",
  },
  { what: "nginx", file: inPath("nginx"), packages: ["nginx-light"], users: "pages behind a proxy with TLS" },
  { what: "openssl", file: inPath("openssl"), packages: ["openssl"], users: "the certificates of the tests" },
  { what: "strace", file: inPath("strace"), packages: ["strace"], users: "the trace of a flush to disk" },
]);

const build = fileURLToPath(new URL("build.mjs", import.meta.url));
process.exitCode = spawnSync(process.execPath, [build, "--if-missing"], { stdio: "inherit" }).status ?? 1;
