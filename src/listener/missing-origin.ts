import type { IncomingHttpHeaders } from "node:http";
import { type Refusal, refuse } from "../protocol/index.ts";

/** What may be repeated of a Host header. */
const HOST = /^[\w.:[\]-]{1,255}$/;

/**
 * The same refusal, and in place of advice about the key the one that helps a page of the server's own origin: browsers leave
 * its GETs without Origin, and its Host named none of the public origins.
 */
export function explainMissingOrigin(refusal: Refusal, headers: IncomingHttpHeaders): Refusal {
  if (refusal.code !== "missing_request_origin") return refusal;
  if (headers.origin !== undefined || headers["sec-fetch-site"] !== "same-origin") return refusal;
  const { host = "" } = headers;
  const shown = HOST.test(host) ? ` (${host})` : "";
  return refuse(
    "missing_request_origin",
    `browsers send no Origin with a GET to the page's own origin, and the Host of this request${shown} is that of none of the server's publicOrigins: add the origin of the page to them, and let the proxy pass on the Host that it got`,
  );
}
