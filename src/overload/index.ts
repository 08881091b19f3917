export { BYTES_PER_COST, LoadAccount, LoadLedger, REQUEST_COST } from "./load-account.ts";
export { OverloadGuard, type OverloadView, type SheddableConnections } from "./overload-guard.ts";
export type { OverloadCause, OverloadThresholds } from "./overload-stages.ts";
export {
  connectionRefusal,
  joinRefusal,
  NO_OVERLOAD,
  OVERLOAD_RESOURCES,
  type OverloadResource,
  type OverloadStage,
  type OverloadState,
  publishRefusal,
  refuseOverloaded,
} from "./overload-state.ts";
export { DEFAULT_THRESHOLDS } from "./thresholds.ts";
