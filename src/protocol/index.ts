export { hasControlCharacter, isChannelName } from "./channel-name.ts";
export type { ErrorCode, Refusal } from "./error-table.ts";
export { ERROR_TABLE, isRetryable, refuse } from "./error-table.ts";
export { eventNameFault } from "./event-name.ts";
export { LIMITS } from "./limits.ts";
export type * from "./messages.ts";
export { REALTIME_PATH } from "./messages.ts";
export type { Problem } from "./problem.ts";
export { PROBLEM_MEDIA_TYPE, problemOf, rawProblemResponse, refusalHeaders } from "./problem.ts";
