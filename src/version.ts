import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Of the package: one folder up from the sources, two from what the build made of them. */
export function packageVersion(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const file = [join(here, "..", "package.json"), join(here, "..", "..", "package.json")].find((path) =>
    existsSync(path),
  );
  const content: unknown = file === undefined ? undefined : JSON.parse(readFileSync(file, "utf8"));
  const isNamed = typeof content === "object" && content !== null && "version" in content;
  return isNamed ? String(content.version) : "unknown";
}
