import { QueryClient } from "@tanstack/react-query";
import { ApiError, OfflineError } from "./problem.ts";

const RETRIES = 3;

/** What pages have read from the server. A fault of the network or the store is tried again, a refusal is not. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: "always",
      staleTime: 2_000,
      retry: (failures, error) => isPassing(error) && failures < RETRIES,
      retryDelay: (failures) => Math.min(500 * 2 ** failures, 4_000),
    },
    mutations: { networkMode: "always", retry: false },
  },
});

function isPassing(error: unknown): boolean {
  return error instanceof OfflineError || (error instanceof ApiError && error.status >= 500);
}
