import { useQuery } from "@tanstack/react-query";
import { request } from "./request.ts";
import { isAnything, isFlag, isNumber, isOneOf, isText, listOf, objectOf, orNull } from "./shape.ts";
import type {
  Endpoints,
  EndpointView,
  Overload,
  SettingInEffect,
  SettingsInEffect,
  Status,
} from "./types.ts";

const isOverload = objectOf<Overload>({
  stage: isNumber,
  since: orNull(isText),
  causes: listOf(
    objectOf<Overload["causes"][number]>({ resource: isText, value: isNumber, threshold: isNumber }),
  ),
  heapLiveBytes: isNumber,
  heapLimitBytes: isNumber,
  memoryBytes: isNumber,
  memoryLimitBytes: isNumber,
  loopDelayMs: isNumber,
  descriptors: isNumber,
  descriptorLimit: orNull(isNumber),
  shed: isNumber,
});
const isStatus = objectOf<Status>({
  version: isText,
  nodeVersion: isText,
  startedAt: isText,
  publicUrl: isText,
  publicOrigin: isText,
  publicOrigins: listOf(isText),
  endpointPrefix: isText,
  realtime: isFlag,
  keyRequired: isFlag,
  dev: isFlag,
  address: orNull(isText),
  connections: isNumber,
  channels: isNumber,
  overload: isOverload,
});
const isEndpoints = objectOf<Endpoints>({
  items: listOf(
    objectOf<EndpointView>({ id: isText, method: isText, path: isText, calls: isNumber, denied: isNumber }),
  ),
});
const isSettings = objectOf<SettingsInEffect>({
  items: listOf(
    objectOf<SettingInEffect>({
      name: isText,
      value: isAnything,
      source: isOneOf<SettingInEffect["source"]>({
        flag: true,
        environment: true,
        file: true,
        default: true,
      }),
      environment: orNull(isText),
      description: isText,
    }),
  ),
});

export function useStatus() {
  return useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => request("/status", isStatus, { signal }),
    staleTime: 60_000,
  });
}

export function useEndpoints(refetchInterval: number | false = false) {
  return useQuery({
    queryKey: ["endpoints"],
    queryFn: ({ signal }) => request("/endpoints", isEndpoints, { signal }),
    refetchInterval,
  });
}

/** What the server runs with, and who says so. */
export function useSettings() {
  return useQuery({
    queryKey: ["settings"],
    queryFn: ({ signal }) => request("/settings", isSettings, { signal }),
  });
}
