import { isObject } from "../../lib/json-object.ts";
import type { Refusal } from "../../protocol/index.ts";

/** A CONNECT packet is `0`, then `/namespace,` if it is not the root, then the `auth` as JSON. */
export const CONNECT = "0";

/** Of a CONNECT: its namespace, shortened if it is long, and the text of its `auth`. */
export function splitConnect(data: string): { namespace: string; auth: string } {
  if (data.charAt(1) !== "/") return { namespace: "/", auth: data.slice(1) };
  const comma = data.indexOf(",");
  if (comma === -1) return { namespace: data.slice(1, 200), auth: "" };
  return { namespace: data.slice(1, Math.min(comma, 200)), auth: data.slice(comma + 1) };
}

/** The `auth` of a CONNECT: an object, nothing as an empty one, and undefined for anything else. */
export function parseAuth(text: string): Readonly<Record<string, unknown>> | undefined {
  if (text === "") return NOTHING;
  try {
    const auth: unknown = JSON.parse(text);
    return isObject(auth) ? auth : undefined;
  } catch {
    return undefined;
  }
}

const NOTHING = Object.freeze({});

/** The packet that refuses a CONNECT, which clients get as `connect_error` with `err.data`. */
export function connectError(refusal: Refusal, namespace = ""): string {
  const { code, message, status, afterMs } = refusal;
  const data = { code, message, status, ...(afterMs === undefined ? {} : { afterMs }) };
  return `4${namespace}${JSON.stringify({ message, data })}`;
}
