import { toRecord } from "../../helpers/record.ts";
import type { Publication } from "./trace.ts";

export function settlePublication(
  publication: Publication,
  answer: Record<string, unknown>,
  at: number,
): void {
  publication.ackedAt = at;
  if (answer["ok"] === true || typeof answer["id"] === "string") {
    publication.outcome = {
      offset: Number(answer["offset"]),
      id: textOf(answer["id"]),
      epoch: String(answer["epoch"]),
    };
  } else {
    publication.outcome = { refused: textOf(toRecord(answer["error"])["code"]) };
  }
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : `(${JSON.stringify(value)})`;
}
