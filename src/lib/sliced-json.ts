import { TurnSlices } from "./turn-slices.ts";

/** Text up to this length is parsed at once, which takes a millisecond. */
const WHOLE_CHARS = 64 * 1024;
/** How many characters are looked at between two looks at the clock. */
const CHARS_PER_LOOK = 16 * 1024;
/** Deeper than any document of ours is large. What is large below it is parsed at once. */
const MAX_DEPTH = 8;

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * `JSON.parse` for long text, with turns of the event loop within it: lists and objects are cut between their members into pieces
 * that are parsed one after the other. Gives what `JSON.parse` gives.
 * @throws SyntaxError
 */
export async function parseJsonInSlices(text: string): Promise<unknown> {
  if (text.length <= WHOLE_CHARS) return JSON.parse(text);
  return new SlicedJson(text).value(0, text.length, 0);
}

class SlicedJson {
  readonly #text: string;
  readonly #slices = new TurnSlices();

  constructor(text: string) {
    this.#text = text;
  }

  /** The value that stands between two places. */
  async value(start: number, end: number, depth: number): Promise<unknown> {
    const from = this.#skipSpace(start, end);
    const first = this.#text.charCodeAt(from);
    const isContainer = first === OPEN_LIST || first === OPEN_OBJECT;
    if (end - from <= WHOLE_CHARS || depth >= MAX_DEPTH || !isContainer) {
      await this.#slices.pause();
      return JSON.parse(this.#text.slice(from, end));
    }
    const close = this.#skipSpaceBack(from, end);
    const isList = first === OPEN_LIST;
    if (this.#text.charCodeAt(close) !== (isList ? CLOSE_LIST : CLOSE_OBJECT)) throw unexpected();
    return isList ? this.#list(from + 1, close, depth) : this.#object(from + 1, close, depth);
  }

  async #list(start: number, end: number, depth: number): Promise<unknown[]> {
    const list: unknown[] = [];
    if (this.#skipSpace(start, end) === end) return list;
    for await (const piece of this.#pieces(start, end)) {
      if (piece.isLarge) {
        list.push(await this.value(piece.from, piece.to, depth + 1));
        continue;
      }
      const some: unknown = JSON.parse(`[${this.#text.slice(piece.from, piece.to)}]`);
      if (!Array.isArray(some) || some.length === 0) throw unexpected();
      for (const one of some) list.push(one);
    }
    return list;
  }

  async #object(start: number, end: number, depth: number): Promise<object> {
    const object: Record<string, unknown> = {};
    if (this.#skipSpace(start, end) === end) return object;
    for await (const piece of this.#pieces(start, end)) {
      if (piece.isLarge) {
        const from = this.#skipSpace(piece.from, piece.to);
        const nameEnd = this.#stringEnd(from, piece.to);
        const name: unknown = JSON.parse(this.#text.slice(from, nameEnd));
        const colon = this.#skipSpace(nameEnd, piece.to);
        if (typeof name !== "string" || this.#text.charCodeAt(colon) !== COLON) throw unexpected();
        set(object, name, await this.value(colon + 1, piece.to, depth + 1));
        continue;
      }
      const some: unknown = JSON.parse(`{${this.#text.slice(piece.from, piece.to)}}`);
      if (typeof some !== "object" || some === null) throw unexpected();
      const entries = Object.entries(some);
      if (entries.length === 0) throw unexpected();
      for (const [name, value] of entries) set(object, name, value);
    }
    return object;
  }

  /** Members in pieces that are short enough to be parsed at once; a member that is not is a piece of its own. */
  async *#pieces(start: number, end: number) {
    let pieceStart = start;
    let memberStart = start;
    for (;;) {
      const memberEnd = await this.#memberEnd(memberStart, end);
      if (memberEnd - memberStart > WHOLE_CHARS) {
        if (memberStart > pieceStart) yield { from: pieceStart, to: memberStart - 1, isLarge: false };
        yield { from: memberStart, to: memberEnd, isLarge: true };
        pieceStart = memberEnd + 1;
      } else if (memberEnd - pieceStart > WHOLE_CHARS || memberEnd >= end) {
        yield { from: pieceStart, to: memberEnd, isLarge: false };
        pieceStart = memberEnd + 1;
      }
      await this.#slices.pause();
      if (memberEnd >= end) return;
      memberStart = memberEnd + 1;
    }
  }

  /** Where the comma after a member is, or the end of the list. Whether what is before it is a value, its parsing says. */
  async #memberEnd(start: number, end: number): Promise<number> {
    const text = this.#text;
    let depth = 0;
    let lookAt = start + CHARS_PER_LOOK;
    for (let at = start; at < end; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit === QUOTE) at = this.#stringEnd(at, end) - 1;
      else if (unit === COMMA && depth === 0) return at;
      else if (unit === OPEN_LIST || unit === OPEN_OBJECT) depth += 1;
      else if (unit === CLOSE_LIST || unit === CLOSE_OBJECT) depth -= 1;
      if (at < lookAt) continue;
      await this.#slices.pause();
      lookAt = at + CHARS_PER_LOOK;
    }
    return end;
  }

  /** After the quote that ends the string which begins at `start`. */
  #stringEnd(start: number, end: number): number {
    for (let at = start + 1; at < end; at += 1) {
      const unit = this.#text.charCodeAt(at);
      if (unit === BACKSLASH) at += 1;
      else if (unit === QUOTE) return at + 1;
    }
    return end;
  }

  #skipSpace(start: number, end: number): number {
    let at = start;
    while (at < end && isSpace(this.#text.charCodeAt(at))) at += 1;
    return at;
  }

  /** The last place before `end` that is no white space. */
  #skipSpaceBack(start: number, end: number): number {
    let at = end - 1;
    while (at > start && isSpace(this.#text.charCodeAt(at))) at -= 1;
    return at;
  }
}

/** As `JSON.parse` does it: `__proto__` is a member like any other. */
function set(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== "__proto__") object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
}

function unexpected(): SyntaxError {
  return new SyntaxError("the text is no JSON");
}
