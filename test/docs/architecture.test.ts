import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { fencedBlocks, ROOT, readDocument } from "./documents.ts";

const DOCUMENT = "docs/architecture.md";
const text = readDocument(DOCUMENT);
const pictures = fencedBlocks(DOCUMENT, text).filter(({ language }) => language === "mermaid");

/** Rooms that every room above may import; the picture leaves their arrows out. */
const EVERYWHERE: ReadonlySet<string> = new Set(["lib", "protocol", "observe"]);

type Rule = { readonly includes: string; readonly group: readonly string[]; readonly message: string };

/** What Biome refuses to import, by the files that it is refused to. */
const rules: readonly Rule[] = importRules(JSON.parse(readDocument("biome.json")));

function importRules(config: unknown): Rule[] {
  const found: Rule[] = [];
  for (const override of list(at(config, "overrides"))) {
    const restricted = at(override, "linter", "rules", "style", "noRestrictedImports");
    for (const pattern of list(at(restricted, "options", "patterns"))) {
      for (const includes of list(at(override, "includes"))) {
        const group = list(at(pattern, "group")).map(String);
        found.push({ includes: String(includes), group, message: String(at(pattern, "message")) });
      }
    }
  }
  return found;
}

function at(value: unknown, ...names: readonly string[]): unknown {
  let inner = value;
  for (const name of names) {
    if (typeof inner !== "object" || inner === null) return undefined;
    inner = Object.entries(inner).find(([key]) => key === name)?.[1];
  }
  return inner;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** `a & b --> c & d` as the four arrows `a > c` and so on. */
function arrowsIn(picture: string): string[] {
  return [...picture.matchAll(/^\s*(.+?) --> (.+)$/gm)].flatMap(([, from = "", to = ""]) =>
    namesIn(from).flatMap((source) => namesIn(to).map((target) => `${source} > ${target}`)),
  );
}

function namesIn(side: string): string[] {
  return side.split("&").map((name) => /\["(.*)"\]/.exec(name)?.[1] ?? name.trim());
}

/** Folders that a rule opens, one level up from the files that it is for. */
function opened({ group }: Rule): string[] {
  return group.flatMap((pattern) => /^!\.\.\/(?!\.\.)([^/]+)\//.exec(pattern)?.[1] ?? []);
}

function foldersIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

describe("the page about the architecture", () => {
  it("names only files that are there", () => {
    const paths = [...text.matchAll(/`((?:src|test|docs)\/[^`]*)`/g)].map(([, path = ""]) => path);
    expect(paths.length).to.be.greaterThan(40);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).to.deep.equal([]);
  });

  it("draws the imports between rooms that the linter allows", () => {
    const allowed = rules.flatMap((rule) => {
      const room = /^src\/([^/]+)\/\*\.ts$/.exec(rule.includes)?.[1];
      if (room === undefined || EVERYWHERE.has(room)) return [];
      return opened(rule).flatMap((target) => (EVERYWHERE.has(target) ? [] : `${room} > ${target}`));
    });
    const others = ["server.ts, commands >", "client >", "page >"];
    const drawn = arrowsIn(pictures[0]?.text ?? "").filter(
      (arrow) => !others.some((other) => arrow.startsWith(other)),
    );
    expect(drawn.toSorted()).to.deep.equal([...new Set(allowed)].toSorted());
  });

  it("draws the imports within rooms that the linter allows", () => {
    const allowed = rules.flatMap((rule) => {
      const folder = /^src\/(?:keys|channels|realtime)\/([^/*]+)\/\*\*$/.exec(rule.includes)?.[1];
      if (folder === undefined) return [];
      return opened(rule).map((target) => `${folder} > ${target}`);
    });
    expect(arrowsIn(pictures[1]?.text ?? "").toSorted()).to.deep.equal(allowed.toSorted());
  });
});

describe("the import rules of the linter", () => {
  it("cover every room and each of its folders", () => {
    const covered = new Set(rules.map(({ includes }) => includes));
    // The commands stand above all rooms.
    const rooms = foldersIn("src").filter((room) => room !== "commands");
    const missing = rooms.flatMap((room) => [
      ...(covered.has(`src/${room}/*.ts`) ? [] : [room]),
      ...foldersIn(`src/${room}`)
        .map((folder) => `${room}/${folder}`)
        .filter((path) => !covered.has(`src/${path}/**`) && !covered.has(`src/${room}/*/**`)),
    ]);
    expect(missing).to.deep.equal([]);
  });

  it("lead to the page about the architecture", () => {
    expect(rules.filter(({ message }) => !message.includes(DOCUMENT))).to.deep.equal([]);
  });

  it("leave no way round, from a room back to itself", () => {
    for (const { text: picture } of pictures.slice(0, 2)) {
      const left = new Set(arrowsIn(picture));
      for (let before = -1; before !== left.size; ) {
        before = left.size;
        const sources = new Set([...left].map((arrow) => arrow.split(" > ")[0]));
        for (const arrow of left) if (!sources.has(arrow.split(" > ")[1])) left.delete(arrow);
      }
      expect([...left]).to.deep.equal([]);
    }
  });
});
