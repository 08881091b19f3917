import { ApiError, OfflineError } from "./problem.ts";
import { session } from "./session.ts";

export type RequestInit = {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly body?: unknown;
  /** A JSON Merge Patch instead of a whole document. */
  readonly isPatch?: boolean;
  /** The version that the change is made to. */
  readonly ifMatch?: number;
  readonly signal?: AbortSignal;
};

/**
 * A call of the admin API. Without a session it waits until somebody has signed in again, and is then sent once more.
 * `T` is what the server of this very build answers: both come from one package and one origin.
 * @throws ApiError, OfflineError
 */
export async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  for (;;) {
    const response = await send(path, init);
    if (response.status === 401) {
      session.missed();
      await session.renewed();
      continue;
    }
    return read<T>(response);
  }
}

/** The same without waiting for a session: signing in, and looking whether there is one. @throws ApiError, OfflineError */
export async function requestOnce<T>(path: string, init: RequestInit = {}): Promise<T> {
  return read<T>(await send(path, init));
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  const body = text === "" ? undefined : parse(text);
  if (!response.ok) throw new ApiError(response.status, body);
  return body;
}

// biome-ignore lint/suspicious/noExplicitAny: what JSON.parse gives, see `request`
function parse(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function send(path: string, init: RequestInit): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (init.body !== undefined) {
    headers["content-type"] = init.isPatch === true ? "application/merge-patch+json" : "application/json";
  }
  if (init.ifMatch !== undefined) headers["if-match"] = `"${init.ifMatch}"`;
  try {
    return await fetch(`/admin/v1${path}`, {
      method: init.method ?? "GET",
      headers,
      credentials: "same-origin",
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
      ...(init.signal === undefined ? {} : { signal: init.signal }),
    });
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new OfflineError();
  }
}

/** `?a=1&b=2` of what is set. */
export function queryOf(values: Readonly<Record<string, string | number | undefined | null>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}
