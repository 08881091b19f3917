import type { Settings } from "./options.ts";
import { isRecord, parseJson } from "./record.ts";
import { failure, localError, type Result, type SluiceError, success } from "./result.ts";
import { callAfter } from "./timer.ts";

type QueryValue = string | number | boolean | null | undefined;

export type EndpointOptions = {
  /** Appended as a query string; a list repeats its name, null and undefined are left out. */
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the call early, with the error `aborted`. */
  readonly signal?: AbortSignal;
  /** How long this call may take, in ms; absent: as the client's `endpointTimeoutMs` says. The error is `timeout`. */
  readonly timeoutMs?: number;
};

/**
 * Calls to the application's endpoints, below `baseUrl` and the endpoint prefix. Nothing rejects: a refusal
 * is `error` with the status, code and message of the server's problem details; without an answer the status is
 * 0 and the code `network_error` or `aborted`. JSON answers are parsed, others are text, an empty one is null.
 * The type argument is the caller's word for what the endpoint answers; it is not checked.
 */
export class Endpoint {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get<T = unknown>(path: string, options?: EndpointOptions | null): Promise<Result<T>> {
    return this.#call("GET", path, undefined, options);
  }

  post<T = unknown>(path: string, body?: unknown, options?: EndpointOptions | null): Promise<Result<T>> {
    return this.#call("POST", path, body, options);
  }

  put<T = unknown>(path: string, body?: unknown, options?: EndpointOptions | null): Promise<Result<T>> {
    return this.#call("PUT", path, body, options);
  }

  patch<T = unknown>(path: string, body?: unknown, options?: EndpointOptions | null): Promise<Result<T>> {
    return this.#call("PATCH", path, body, options);
  }

  delete<T = unknown>(path: string, options?: EndpointOptions | null): Promise<Result<T>> {
    return this.#call("DELETE", path, undefined, options);
  }

  async #call<T>(
    method: string,
    path: string,
    body: unknown,
    given: EndpointOptions | null | undefined,
  ): Promise<Result<T>> {
    const options = given ?? {};
    const url = this.#url(path, options.query);
    if (url === undefined) {
      const message = `${path}: no dot segments, backslashes or # in a path`;
      return failure({ status: 400, code: "ambiguous_target", message });
    }
    const { apiKey, fetch, endpointTimeoutMs } = this.#settings;
    const headers = new Headers({ accept: "application/json, text/plain;q=0.9, */*;q=0.5" });
    if (apiKey !== null) headers.set("authorization", `Bearer ${apiKey}`);
    for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
    const ended = new AbortController();
    const abort = (): void => ended.abort();
    let isLate = false;
    const cancel = callAfter(options.timeoutMs ?? endpointTimeoutMs, () => {
      isLate = true;
      abort();
    });
    if (options.signal?.aborted) abort();
    options.signal?.addEventListener("abort", abort);
    try {
      const content = encode(body, headers);
      const init: RequestInit = { method, headers, credentials: "omit", signal: ended.signal };
      if (content !== undefined) init.body = content;
      return await read<T>(await fetch(url, init));
    } catch (cause) {
      if (isLate) return failure(localError("timeout"));
      if (options.signal?.aborted) return failure(localError("aborted"));
      return failure(localError("network_error", cause instanceof Error ? cause.message : String(cause)));
    } finally {
      cancel();
      options.signal?.removeEventListener("abort", abort);
    }
  }

  /** Undefined for a path that a URL parser would rewrite: the key would go to another route than was named. */
  #url(path: string, query: EndpointOptions["query"]): string | undefined {
    if (/\\|#|(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path.replace(/\?.*$/s, ""))) return undefined;
    const url = new URL(`${this.#settings.endpointBase}/${path.replace(/^\//, "")}`);
    for (const [name, value] of Object.entries(query ?? {})) {
      for (const each of Array.isArray(value) ? value : [value]) {
        if (each !== null && each !== undefined) url.searchParams.append(name, String(each));
      }
    }
    return url.href;
  }
}

/** What fetch can send by itself goes as it is; all else is JSON. */
function encode(body: unknown, headers: Headers): BodyInit | undefined {
  if (body === undefined) return undefined;
  if (body instanceof FormData || body instanceof URLSearchParams || body instanceof Blob) return body;
  if (body instanceof ArrayBuffer) return body;
  if (typeof body === "string" && headers.has("content-type")) return body;
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  return JSON.stringify(body);
}

async function read<T>(response: Response): Promise<Result<T>> {
  const text = await response.text();
  const isJson = /[/+]json\b/i.test(response.headers.get("content-type") ?? "");
  if (!response.ok) return failure(problem(response, isJson ? parseJson(text) : undefined));
  try {
    return success(text === "" ? null : isJson ? JSON.parse(text) : text);
  } catch {
    return failure(localError("unexpected_answer", "the answer says that it is JSON, and is not"));
  }
}

/** RFC 9457 problem details with our `code`; an error of another form keeps its status. */
function problem(response: Response, body: unknown): SluiceError {
  const { status } = response;
  const fields = isRecord(body) ? body : {};
  const code = typeof fields["code"] === "string" ? fields["code"] : `http_${status}`;
  const text = [fields["detail"], fields["message"], fields["title"], response.statusText];
  const message = text.find((each) => typeof each === "string" && each !== "") ?? `status ${status}`;
  const retryAfterSeconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  const error = { status, code, message: String(message) };
  return retryAfterSeconds >= 0 ? { ...error, afterMs: retryAfterSeconds * 1000 } : error;
}
