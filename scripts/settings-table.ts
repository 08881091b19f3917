import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { rowOf, SETTING_NAMES } from "../src/config/settings-table.ts";

const DOCUMENT = "docs/configuration.md";
const HEAD = "| setting | environment | default |\n| --- | --- | --- |\n";

/** The table of docs/configuration.md, one line for each row of the settings. */
export function settingsTable(): string {
  const lines = SETTING_NAMES.map((name) => {
    const { environment, schema, defaultText, help } = rowOf(name);
    const isList = "type" in schema && schema.type === "array";
    const variable = environment === undefined ? "" : `\`${environment}\`${isList ? " (commas)" : ""}`;
    return `| \`${name}\`: ${help} | ${variable} | ${defaultText} |\n`;
  });
  return HEAD + lines.join("");
}

/** Run as `npm run docs:settings`: puts the table where the document has one. */
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const text = readFileSync(DOCUMENT, "utf8");
  const table = /^\| setting \| environment \|.*\n(?:\|.*\n)+/m;
  if (!table.test(text)) throw new Error(`${DOCUMENT} has no table of settings`);
  writeFileSync(
    DOCUMENT,
    text.replace(table, () => settingsTable()),
  );
}
