import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectPart, memoryPart } from "./connections.ts";
import { consolePart } from "./console.ts";
import { enforcementPart } from "./enforcement.ts";
import { fanOutPart } from "./fan-out.ts";
import { httpPart } from "./http.ts";
import { ROOT } from "./kept.ts";
import type { Part } from "./part.ts";
import { policyPart } from "./policy.ts";
import { soakPart } from "./soak.ts";
import { stormPart } from "./storm.ts";

export const DOCUMENT = "docs/benchmarks.md";
export const PARTS: readonly Part[] = [
  policyPart,
  enforcementPart,
  fanOutPart,
  memoryPart,
  connectPart,
  stormPart,
  httpPart,
  soakPart,
  consolePart,
];

/** The file contents that a part's kept figures give, by path. `document`: what it is written into. */
export function filesOf(part: Part, document: string): Record<string, string> {
  const rendered = part.render();
  const text = rendered?.text ?? `No figures are kept yet: \`${part.command}\`.`;
  return { ...rendered?.pictures, [DOCUMENT]: replacePart(document, part.name, text) };
}

/** Write one part anew. All else in the document stays as it is. */
export function writePart(part: Part): void {
  const document = readFileSync(join(ROOT, DOCUMENT), "utf8");
  for (const [path, text] of Object.entries(filesOf(part, document))) writeFileSync(join(ROOT, path), text);
}

/** Put a text between the marks of a part. @throws unless both are there once, in order */
export function replacePart(document: string, name: string, text: string): string {
  const [begin, end] = [
    `<!-- figures of ${name}, by npm run bench:report -->`,
    `<!-- end of figures of ${name} -->`,
  ];
  const [before = "", rest, ...more] = document.split(begin);
  const [, after, ...others] = rest?.split(end) ?? [];
  if (after === undefined || more.length > 0 || others.length > 0 || before.includes(end))
    throw new Error(`the document has to have each of these once: ${begin} and ${end}`);
  return `${before}${begin}\n\n${text}\n\n${end}${after}`;
}
