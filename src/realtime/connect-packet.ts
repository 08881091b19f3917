/** A CONNECT packet is `0`, then `/namespace,` if it is not the root, then the `auth` as JSON. */
export const CONNECT = "0";

/** Of a CONNECT: its namespace, shortened if it is long, and the text of its `auth`. */
export function splitConnect(data: string): { namespace: string; auth: string } {
  if (data.charAt(1) !== "/") return { namespace: "/", auth: data.slice(1) };
  const comma = data.indexOf(",");
  if (comma === -1) return { namespace: data.slice(1, 200), auth: "" };
  return { namespace: data.slice(1, Math.min(comma, 200)), auth: data.slice(comma + 1) };
}

/**
 * An object of plain texts and booleans, which is what nearly everybody sends: Socket.IO reads it anyway, and need not be
 * preceded by a second reading. Linear: no character can be taken in two ways.
 */
const PLAIN_AUTH = /^\{"\w{1,64}":(?:"[\w .:~-]*"|true|false)(?:,"\w{1,64}":(?:"[\w .:~-]*"|true|false))*\}$/;

/** An object, or nothing. */
export function isAuth(text: string): boolean {
  if (text === "" || PLAIN_AUTH.test(text)) return true;
  try {
    const auth: unknown = JSON.parse(text);
    return typeof auth === "object" && auth !== null && !Array.isArray(auth);
  } catch {
    return false;
  }
}
