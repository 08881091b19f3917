import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The repository, wherever this file was compiled to. */
export const ROOT = findRoot(import.meta.dirname);

/** Every Markdown file whose snippets people copy. */
export const DOCUMENTS: readonly string[] = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "src/protocol/PROTOCOL.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** A fenced block. Its id is `<file> > <heading>`, with ` (2)` for the second below one heading. */
export type Snippet = { readonly id: string; readonly language: string; readonly text: string };

export function readDocument(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** The fenced blocks of a Markdown text, in order. @throws for a fence that is not closed */
export function fencedBlocks(file: string, markdown: string): Snippet[] {
  const snippets: Snippet[] = [];
  const counts = new Map<string, number>();
  let heading = "";
  let open: { fence: string; indent: string; language: string; lines: string[] } | undefined;
  for (const line of markdown.split(/\r?\n/)) {
    const [, indent = "", fence, info = ""] = /^(\s*)(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (open === undefined) {
      heading = /^#+\s+(.*)$/.exec(line)?.[1]?.trim() ?? heading;
      if (fence !== undefined) open = { fence, indent, language: info.trim(), lines: [] };
    } else if (fence?.startsWith(open.fence) && info.trim() === "") {
      const base = `${file} > ${heading}`;
      const count = (counts.get(base) ?? 0) + 1;
      counts.set(base, count);
      const id = count === 1 ? base : `${base} (${count})`;
      snippets.push({ id, language: open.language, text: `${open.lines.join("\n")}\n` });
      open = undefined;
    } else {
      open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
    }
  }
  if (open !== undefined) throw new Error(`${file}: a fence below "${heading}" is not closed`);
  return snippets;
}

/** The snippets of all documents, and which of them a case has claimed. */
export class Snippets {
  readonly #all = new Map<string, Snippet>();
  readonly #claimed = new Set<string>();

  constructor() {
    for (const file of DOCUMENTS) {
      for (const snippet of fencedBlocks(file, readDocument(file))) this.#all.set(snippet.id, snippet);
    }
  }

  /** Say that a case covers this block. The block is looked up when the case runs. */
  claim(id: string, language: string): () => string {
    if (this.#claimed.has(id)) throw new Error(`two cases cover ${id}`);
    this.#claimed.add(id);
    return () => {
      const snippet = this.#all.get(id);
      if (snippet === undefined) throw new Error(`no block is ${id}: move the case to where the block went`);
      if (snippet.language !== language)
        throw new Error(`${id} is "${snippet.language}", its case runs "${language}"`);
      return snippet.text;
    };
  }

  /** Blocks that no case covers, and cases whose block is gone. */
  mismatches(): { uncovered: string[]; stale: string[] } {
    return {
      uncovered: [...this.#all.keys()].filter((id) => !this.#claimed.has(id)),
      stale: [...this.#claimed].filter((id) => !this.#all.has(id)),
    };
  }
}

/** Put the test's values where a document has its placeholders. @throws for one that is not there */
export function substitute(text: string, values: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [placeholder, value] of Object.entries(values)) {
    if (!result.includes(placeholder)) throw new Error(`"${placeholder}" is not in:\n${text}`);
    result = result.replaceAll(placeholder, () => value);
  }
  return result;
}

/** The rows of the first Markdown table whose head is `head`, as their cells. */
export function tableRows(markdown: string, head: readonly string[]): string[][] {
  const lines = markdown.split("\n");
  const at = lines.findIndex((line) => line.startsWith("|") && cellsOf(line).join("|") === head.join("|"));
  if (at === -1) throw new Error(`no table has the head ${head.join(" | ")}`);
  const rest = lines.slice(at + 2);
  const end = rest.findIndex((line) => !line.startsWith("|"));
  return rest.slice(0, end === -1 ? rest.length : end).map(cellsOf);
}

function cellsOf(line: string): string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function findRoot(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error("no package.json above the tests");
  return findRoot(parent);
}
