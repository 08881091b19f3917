import { ApiError, OfflineError, UnexpectedAnswerError } from "./problem.ts";
import { session } from "./session.ts";
import { jsonOf, type Shape } from "./shape.ts";

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
 * @param isAnswer whether the answer is what the caller expects
 * @throws ApiError, OfflineError, UnexpectedAnswerError
 */
export async function request<T>(path: string, isAnswer: Shape<T>, init: RequestInit = {}): Promise<T> {
  for (;;) {
    const response = await send(path, init);
    if (response.status === 401) {
      session.missed();
      await session.renewed();
      continue;
    }
    return read(response, isAnswer);
  }
}

/** The same without waiting for a session: signing in, and looking whether there is one. */
export async function requestOnce<T>(path: string, isAnswer: Shape<T>, init: RequestInit = {}): Promise<T> {
  return read(await send(path, init), isAnswer);
}

async function read<T>(response: Response, isAnswer: Shape<T>): Promise<T> {
  const body = jsonOf(await response.text());
  if (!response.ok) throw new ApiError(response.status, body);
  if (!isAnswer(body)) throw new UnexpectedAnswerError();
  return body;
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
