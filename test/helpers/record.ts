/** The members of something unknown, to look at one by one. */
export function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : { value };
}
