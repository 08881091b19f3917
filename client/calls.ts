import { ERROR_TABLE, type ErrorCode } from "../src/protocol/index.ts";
import { type MembersPage, parseMembers, parseNothing } from "./answers.ts";
import type { MembersOptions } from "./options.ts";
import type { Call } from "./outbox.ts";
import { failure, type Result } from "./result.ts";

export function membersCall(channel: string, options: MembersOptions): Call<MembersPage> {
  return { event: "members", payload: { channel, ...options }, parse: parseMembers, repeatable: "always" };
}

export function updateCall(data: unknown, echo?: boolean): Call<null> {
  const payload = echo === undefined ? { data } : { data, echo };
  return { event: "update", payload, parse: parseNothing, repeatable: "always" };
}

/** What the server would answer, without asking it. */
export function refused<T>(code: ErrorCode): Result<T> {
  const { status, message } = ERROR_TABLE[code];
  return failure({ status, code, message });
}
