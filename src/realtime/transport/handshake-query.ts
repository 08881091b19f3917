import type { IncomingMessage } from "node:http";
import { type ParsedUrlQuery, parse } from "node:querystring";

/** All of it, however much: a field that only the next reader sees would be read in two ways. */
const EVERY_FIELD = { maxKeys: 0 };

/** What socket.io-client asks for over WebSocket: read once for all. */
const USUAL = "EIO=4&transport=websocket";
const USUAL_QUERY = Object.freeze(parse(USUAL));

/** The query of a request to the realtime path. */
export function queryOf({ url = "" }: IncomingMessage): Readonly<ParsedUrlQuery> {
  const mark = url.indexOf("?");
  const text = mark === -1 ? "" : url.slice(mark + 1);
  return text === USUAL ? USUAL_QUERY : parse(text, "&", "=", EVERY_FIELD);
}

export function valuesOf(field: string | string[] | undefined): readonly string[] | undefined {
  return typeof field === "string" ? [field] : field;
}

/** What Engine.IO takes of a field that was sent several times. */
export function lastOf(field: string | string[] | undefined): string | undefined {
  return typeof field === "object" ? field.at(-1) : field;
}
