import { isText, objectOf } from "./shape.ts";
import type { Fault } from "./types.ts";

/** What is wrong in a document, and where. */
export const isFault = objectOf<Fault>({ pointer: isText, message: isText });

/** A refusal of the admin API: RFC 9457 problem details with our code. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly faults: readonly Fault[];
  /** With 412: the version that is stored now. */
  readonly currentVersion: number | null;

  constructor(status: number, body: unknown) {
    const problem = typeof body === "object" && body !== null ? body : {};
    const detail = textOf(Reflect.get(problem, "detail"));
    super(detail ?? `the server answered ${status}`);
    this.name = "ApiError";
    this.status = status;
    this.code = textOf(Reflect.get(problem, "code")) ?? "internal_error";
    const faults: unknown = Reflect.get(problem, "faults");
    this.faults = Array.isArray(faults) ? faults.filter(isFault) : [];
    const version: unknown = Reflect.get(problem, "currentVersion");
    this.currentVersion = typeof version === "number" ? version : null;
  }
}

/** The server did not answer at all. */
export class OfflineError extends Error {
  constructor() {
    super("The server does not answer. It may be restarting.");
    this.name = "OfflineError";
  }
}

/** The server of another version than this page, or something between the two that answers in its place. */
export class UnexpectedAnswerError extends Error {
  constructor() {
    super("This page does not understand the server's answer. Reload it: the server may have been updated.");
    this.name = "UnexpectedAnswerError";
  }
}

/** What to show of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiError && error.faults.length > 0) {
    return error.faults.map(({ pointer, message }) => `${pointer || "/"}: ${message}`).join("; ");
  }
  return error instanceof Error ? sentence(error.message) : "Something went wrong.";
}

/** The server's messages begin in lower case. A name at the beginning stays as it is. */
export function sentence(text: string): string {
  return /^[a-z]+(?:[ ,;.:?'’]|$)/.test(text) && !/^[a-z]+:[^ ]/.test(text)
    ? text.charAt(0).toUpperCase() + text.slice(1)
    : text;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
