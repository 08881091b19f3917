import { ERROR_TABLE, type JoinAck, type MembersAck, type MessageAck } from "../src/protocol/index.ts";
import { parseMember } from "./events.ts";
import { isRecord } from "./record.ts";
import { failure, isErrorCode, localError, type Result, type SluiceError, success } from "./result.ts";

/** The channel's life (`epoch`) and the last message's place in it (`offset`). */
export type Joined = Omit<JoinAck, "ok">;
/** The message's id and its place in its channel; a broadcast has no place. */
export type Sent = Omit<MessageAck, "ok">;
export type MembersPage = Omit<MembersAck, "ok">;

/** Reads a success out of a parsed ack; undefined when it is not what the call expects. */
export type AnswerParser<T> = (answer: Record<string, unknown>) => T | undefined;

/** An ack of the server as a result. */
export function parseAnswer<T>(answer: unknown, parse: AnswerParser<T>): Result<T> {
  if (isRecord(answer) && answer["ok"] === false) {
    return failure(parseError(answer["error"]) ?? localError("unexpected_answer"));
  }
  const data = isRecord(answer) && answer["ok"] === true ? parse(answer) : undefined;
  return data === undefined ? failure(localError("unexpected_answer")) : success(data);
}

/** `{ code, message, status?, afterMs? }`, as refusals have it on every way; the status comes from the table. */
export function parseError(value: unknown): SluiceError | undefined {
  if (!isRecord(value) || typeof value["code"] !== "string") return undefined;
  const { code, message, status, afterMs } = value;
  const row = isErrorCode(code) ? ERROR_TABLE[code] : undefined;
  const error = {
    status: typeof status === "number" ? status : (row?.status ?? 0),
    code,
    message: typeof message === "string" ? message : (row?.message ?? code),
  };
  return isDuration(afterMs) ? { ...error, afterMs } : error;
}

export function isDuration(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && Number.isFinite(value);
}

export function parseNothing(): null {
  return null;
}

export function parseJoin(answer: Record<string, unknown>): Joined | undefined {
  const { channel, epoch, offset, recovered } = answer;
  if (typeof channel !== "string" || typeof epoch !== "string" || typeof offset !== "number")
    return undefined;
  return { channel, epoch, offset, recovered: recovered === true };
}

export function parseSent(answer: Record<string, unknown>): Sent | undefined {
  const { id, epoch, offset } = answer;
  if (typeof id !== "string") return undefined;
  return typeof epoch === "string" && typeof offset === "number" ? { id, epoch, offset } : { id };
}

export function parseMembers(answer: Record<string, unknown>): MembersPage | undefined {
  const { members, count, next } = answer;
  if (!Array.isArray(members) || typeof count !== "number") return undefined;
  const parsed = members.map(parseMember).filter((member) => member !== undefined);
  return { members: parsed, count, next: typeof next === "string" ? next : null };
}
