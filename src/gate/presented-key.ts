import { LIMITS, type Refusal, refuse } from "../protocol/index.ts";

/** What a request brought along to say who it is: one secret, none, or something that is refused. */
export type PresentedKey = { readonly secret: string } | { readonly secret: undefined } | Refusal;

export type KeySources = {
  /** Node's `rawHeaders`: a second Authorization line vanishes from `headers`. */
  readonly rawHeaders: readonly string[];
  /** Each `apikey` of the query; absent where keys in the query are turned off. */
  readonly inQuery?: readonly string[] | undefined;
  /** `auth.apiKey` of a Socket.IO CONNECT, unparsed. */
  readonly apiKey?: unknown;
};

const NO_KEY: PresentedKey = { secret: undefined };
const NONE: readonly string[] = [];

/**
 * Find the API key of a request: `Authorization: Bearer`, bare `Authorization`, `X-API-Key`, `?apikey=` or
 * `auth.apiKey`. The same key in several places is one key; different ones, or a place used twice,
 * are refused, since two readers could pick two different ones. White space around it, such as the line end of a file, does not count.
 */
export function presentedKey(sources: KeySources): PresentedKey {
  const found: string[] = [];
  const seen: string[] = [];
  for (let i = 0; i + 1 < sources.rawHeaders.length; i += 2) {
    const name = keyHeader(sources.rawHeaders[i]);
    if (name === undefined) continue;
    if (seen.includes(name)) return refuse("invalid_api_key", `send one ${name} header, not several`);
    seen.push(name);
    const value = sources.rawHeaders[i + 1]?.trim() ?? "";
    const secret = name === "authorization" ? credentialOf(value) : value;
    if (secret === undefined)
      return refuse("invalid_api_key", "send the API key as Authorization: Bearer <key>");
    if (secret !== "") found.push(secret);
  }
  const inQuery = sources.inQuery ?? NONE;
  if (inQuery.length > 1) return refuse("invalid_api_key", "send one apikey in the query, not several");
  const queried = inQuery[0]?.trim() ?? "";
  if (queried !== "") found.push(queried);
  if (sources.apiKey !== undefined && sources.apiKey !== null && sources.apiKey !== "") {
    if (typeof sources.apiKey !== "string") return refuse("invalid_api_key", "auth.apiKey is a string");
    const secret = sources.apiKey.trim();
    if (secret !== "") found.push(secret);
  }
  const secret = found[0];
  if (secret === undefined) return NO_KEY;
  if (found.some((other) => other !== secret)) {
    return refuse("invalid_api_key", "the request carries different API keys: send one");
  }
  if (secret.length > LIMITS.apiKeyMaxChars) return refuse("invalid_api_key");
  return { secret };
}

/** The name of a header that carries a key. Of the others not even the letters are looked at. */
function keyHeader(name = ""): "authorization" | "x-api-key" | undefined {
  if (name.length === "authorization".length)
    return name.toLowerCase() === "authorization" ? "authorization" : undefined;
  return name.length === "x-api-key".length && name.toLowerCase() === "x-api-key" ? "x-api-key" : undefined;
}

/** The value after `Bearer`, or a bare value; undefined for another scheme. */
function credentialOf(value: string): string | undefined {
  const space = value.indexOf(" ");
  if (space === -1) return value.toLowerCase() === "bearer" ? "" : value;
  if (value.slice(0, space).toLowerCase() !== "bearer") return undefined;
  const credential = value.slice(space + 1).trim();
  return credential.includes(" ") ? undefined : credential;
}
