import { isDuration, parseError } from "./answers.ts";
import { isRecord, parseJson } from "./record.ts";
import { isErrorCode, localError, type SluiceError } from "./result.ts";

/**
 * Why a try to connect was refused: the server's own word, in a CONNECT_ERROR packet or as the problem details of a polling request,
 * or the status of an answer that is not Sluice's (`http_403`, a firewall's for instance). Undefined: nobody answered.
 */
export function refusalOf(error: Error): SluiceError | undefined {
  const refusal = "data" in error ? parseError(error.data) : undefined;
  if (refusal !== undefined) return refusal;
  const status = "description" in error ? error.description : undefined;
  if (typeof status !== "number" || status < 300) return undefined;
  const context = "context" in error && isRecord(error.context) ? error.context : {};
  const text = context["responseText"];
  const own = typeof text === "string" ? parseError(parseJson(text)) : undefined;
  // Others use problem details too: only a code of our table is Sluice's word.
  const afterMs = retryAfterMs(context);
  if (own !== undefined && isErrorCode(own.code)) return afterMs === undefined ? own : { afterMs, ...own };
  const message = `the server could not be reached: something answered with status ${status} in its place`;
  const answer = { status, code: `http_${status}`, message };
  return afterMs === undefined ? answer : { ...answer, afterMs };
}

/** The server did not answer. */
export function unreachable(error: Error): SluiceError {
  return localError("network_error", `the server could not be reached: ${error.message}`);
}

/** The `Retry-After` in seconds of an XMLHttpRequest's answer. */
function retryAfterMs(request: Record<string, unknown>): number | undefined {
  const read = request["getResponseHeader"];
  if (typeof read !== "function") return undefined;
  const text: unknown = Reflect.apply(read, request, ["retry-after"]);
  const afterMs = typeof text === "string" && text.trim() !== "" ? Number(text) * 1_000 : Number.NaN;
  return isDuration(afterMs) ? afterMs : undefined;
}
