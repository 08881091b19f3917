import type { FastifyRequest } from "fastify";
import { KEY_SORTS, type KeyQuery } from "./key-directory.ts";
import { KEY_STATES } from "./schemas/key-view.ts";

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 1_000;
const SEARCH_MAX_CHARS = 200;
const WORDS = ["search", "state", "sort", "order", "offset"] as const;

/** The wish to search or sort: undefined without one, for then keys are paged in the order of the store. */
export function keyQueryOf(request: FastifyRequest): KeyQuery | { readonly fault: string } | undefined {
  const { searchParams } = new URL(request.url, "http://admin");
  // An empty parameter is one that was not given: forms and generated clients send them.
  const read = (name: string): string | undefined => searchParams.get(name) || undefined;
  if (!WORDS.some((word) => read(word) !== undefined)) return undefined;
  const search = read("search") ?? "";
  if (search.length > SEARCH_MAX_CHARS) return { fault: `search is at most ${SEARCH_MAX_CHARS} characters` };
  const state = KEY_STATES.find((one) => one === read("state"));
  if (state === undefined && read("state") !== undefined) {
    return { fault: `state is one of ${KEY_STATES.join(", ")}` };
  }
  const sort = KEY_SORTS.find((one) => one === (read("sort") ?? "created"));
  if (sort === undefined) return { fault: `sort is one of ${KEY_SORTS.join(", ")}` };
  const order = read("order") ?? "asc";
  if (order !== "asc" && order !== "desc") return { fault: "order is asc or desc" };
  const offset = read("offset") ?? "0";
  if (!/^[0-9]{1,9}$/.test(offset)) return { fault: "offset is a whole number from 0" };
  const limit = read("limit") ?? String(LIMIT_DEFAULT);
  if (!/^[1-9][0-9]{0,3}$/.test(limit) || Number(limit) > LIMIT_MAX) {
    return { fault: `limit is a whole number from 1 to ${LIMIT_MAX}` };
  }
  if (read("after") !== undefined)
    return { fault: "with search, state or sort a page begins at offset, not after" };
  return { search, state, sort, descending: order === "desc", offset: Number(offset), limit: Number(limit) };
}
