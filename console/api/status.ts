import { useQuery } from "@tanstack/react-query";
import { request } from "./request.ts";
import type { Endpoints, Status } from "./types.ts";

export function useStatus() {
  return useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => request<Status>("/status", { signal }),
    staleTime: 60_000,
  });
}

export function useEndpoints(refetchInterval: number | false = false) {
  return useQuery({
    queryKey: ["endpoints"],
    queryFn: ({ signal }) => request<Endpoints>("/endpoints", { signal }),
    refetchInterval,
  });
}
