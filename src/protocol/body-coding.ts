import { type Refusal, refuse } from "./error-table.ts";

/** A compressed body says nothing of its size, so none is taken. Said before the body is read, with `Accept-Encoding: identity` (RFC 9110, 15.5.16). */
export function codingRefusal(contentEncoding: string | undefined): Refusal | undefined {
  if (contentEncoding === undefined || contentEncoding === "" || contentEncoding.toLowerCase() === "identity")
    return undefined;
  return refuse("unsupported_media_type", "send the body without a Content-Encoding");
}
