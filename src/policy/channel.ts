import { hasControlCharacter, LIMITS } from "../protocol/index.ts";
import { quote } from "./fault.ts";
import type { ChannelAction, ChannelRule } from "./settings.ts";

/**
 * What is wrong with a channel pattern (trimmed, not empty), or null. Segments lie between colons and may be empty; `*` stands for exactly
 * one segment, whatever it holds; a final `**` for one or more. Everything else is literal.
 */
export function patternFault(pattern: string): string | null {
  const shown = quote(pattern);
  if (pattern.length > LIMITS.channelNameMaxChars) {
    return `is longer than a channel name can be (${LIMITS.channelNameMaxChars} characters)`;
  }
  if (hasControlCharacter(pattern)) return `"${shown}" has a control character`;
  if (pattern.startsWith("$")) return `"${shown}" begins with $, as no channel name does`;
  const segments = pattern.split(":");
  for (const [index, segment] of segments.entries()) {
    if (!segment.includes("*") || segment === "*") continue;
    if (segment !== "**") return `"${shown}" has a * beside other characters: a * is one whole segment`;
    if (index !== segments.length - 1) return `"${shown}" has ** before its end: use * for one segment`;
  }
  return null;
}

type Node = {
  /** Literal segments in ascending order, and their nodes. */
  literals: string[];
  children: Node[];
  any: Node | null;
  /** A pattern ends here. */
  ends: boolean;
  /** A pattern has `**` here. */
  rest: boolean;
};

/**
 * Channel rules as one trie per action. A look-up visits each node at most once, however the wildcards branch, and
 * allocates nothing.
 */
export class ChannelRules {
  readonly #roots = new Map<ChannelAction, Node>();
  readonly #broadcast: boolean;

  constructor(rules: readonly ChannelRule[]) {
    let broadcast = false;
    for (const rule of rules) {
      for (const action of rule.actions) {
        if (action === "broadcast") {
          broadcast = broadcast || rule.pattern === "**";
          continue;
        }
        const root = this.#roots.get(action) ?? emptyNode();
        this.#roots.set(action, root);
        insert(root, rule.pattern);
      }
    }
    this.#broadcast = broadcast;
  }

  /** Whether any rule grants the action; `channel` is a valid channel name, and not looked at for a broadcast. */
  allows(action: ChannelAction, channel: string): boolean {
    if (action === "broadcast") return this.#broadcast;
    const root = this.#roots.get(action);
    return root !== undefined && matches(root, channel, 0);
  }
}

function emptyNode(): Node {
  return { literals: [], children: [], any: null, ends: false, rest: false };
}

function insert(root: Node, pattern: string): void {
  let node = root;
  for (const segment of pattern.split(":")) {
    if (segment === "**") {
      node.rest = true;
      return;
    }
    node = segment === "*" ? anyChild(node) : literalChild(node, segment);
  }
  node.ends = true;
}

function anyChild(node: Node): Node {
  node.any ??= emptyNode();
  return node.any;
}

function literalChild(node: Node, segment: string): Node {
  const place = lowerBound(node.literals, segment, 0, segment.length);
  const known = node.children[place];
  if (known !== undefined && node.literals[place] === segment) return known;
  const child = emptyNode();
  node.literals.splice(place, 0, segment);
  node.children.splice(place, 0, child);
  return child;
}

/** Whether the segments of `channel` from `start` (past the end + 1: none left) lead to the end of a pattern. */
function matches(node: Node, channel: string, start: number): boolean {
  if (start > channel.length) return node.ends;
  if (node.rest) return true;
  const colon = channel.indexOf(":", start);
  const end = colon < 0 ? channel.length : colon;
  const place = lowerBound(node.literals, channel, start, end);
  const child = node.children[place];
  if (child !== undefined && compareSegment(node.literals[place] ?? "", channel, start, end) === 0) {
    if (matches(child, channel, end + 1)) return true;
  }
  return node.any !== null && matches(node.any, channel, end + 1);
}

/** The first place whose literal is not below `text[start, end)`. */
function lowerBound(literals: readonly string[], text: string, start: number, end: number): number {
  let low = 0;
  let high = literals.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareSegment(literals[middle] ?? "", text, start, end) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compareSegment(literal: string, text: string, start: number, end: number): number {
  const length = end - start;
  const shared = Math.min(literal.length, length);
  for (let i = 0; i < shared; i += 1) {
    const difference = literal.charCodeAt(i) - text.charCodeAt(start + i);
    if (difference !== 0) return difference;
  }
  return literal.length - length;
}

/** Why no rule grants the action on this channel: the nearest rules, each with its reason. For people. */
export function channelMisses(
  rules: readonly ChannelRule[],
  action: ChannelAction,
  channel: string,
): string[] {
  const misses: string[] = [];
  for (const rule of rules) {
    if (misses.length === 5) break;
    if (action !== "broadcast" && rule.actions.every((one) => one === "broadcast")) continue;
    const alone = new ChannelRules([{ pattern: rule.pattern, actions: ["join"] }]);
    if (!alone.allows("join", channel)) continue;
    misses.push(`${quote(rule.pattern)} covers it, but grants only ${rule.actions.join(", ") || "nothing"}`);
  }
  if (misses.length > 0 || action === "broadcast") return misses;
  const depth = channel.split(":").length;
  for (const rule of rules) {
    if (misses.length === 5) break;
    const segments = rule.pattern.split(":");
    if (segments[0] !== channel.split(":", 1)[0] || segments.at(-1) === "**") continue;
    if (segments.length !== depth) {
      misses.push(
        `${quote(rule.pattern)} has ${segments.length} segments, the channel ${depth}: a * stands for exactly one`,
      );
    }
  }
  return misses;
}
