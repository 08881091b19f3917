import { useQuery } from "@tanstack/react-query";
import { request } from "./request.ts";

export type Status = {
  readonly version: string;
  readonly startedAt: string;
  readonly publicOrigin: string;
  readonly publicUrl: string;
  /** The caller's, as this listener sees it. */
  readonly address: string | null;
  readonly realtime: boolean;
  readonly keyRequired: boolean;
  readonly endpointPrefix: string;
  readonly dev: boolean;
  readonly nodeVersion: string;
  readonly connections: number;
  readonly channels: number;
};
export type EndpointView = {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly calls?: number;
  readonly denied?: number;
};

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
    queryFn: ({ signal }) => request<{ readonly items: readonly EndpointView[] }>("/endpoints", { signal }),
    refetchInterval,
  });
}
