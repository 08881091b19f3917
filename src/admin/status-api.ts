import type { Hub } from "../channels/index.ts";
import type { Config, SettingInEffect } from "../config/config.ts";
import type { Readiness } from "../observe/readiness.ts";
import type { Traffic } from "../observe/traffic.ts";
import type { OverloadView } from "../overload/index.ts";
import type { DeclaredEndpoint } from "../policy/index.ts";
import { peerOf } from "./admin-access.ts";
import { REFUSALS } from "./schemas/common.ts";
import { Endpoints, Ready, SettingsInEffect, Status } from "./schemas/status.ts";
import type { AdminScope } from "./scope.ts";

/** What is known of the running server. */
export type ServerFacts = {
  readonly version: string;
  readonly startedAt: string;
  readonly dev: boolean;
  readonly publicUrl: string;
  readonly publicOrigins: readonly string[];
};

export type StatusApiOptions = {
  readonly server: ServerFacts;
  readonly config: Config;
  readonly settings: () => readonly SettingInEffect[];
  readonly endpoints: readonly DeclaredEndpoint[];
  readonly hub: Hub;
  readonly traffic: Traffic;
  readonly overload: { view(): OverloadView };
  readonly readiness: Readiness;
};

const tags = ["Server"];

/** What this server is: its state, the settings in effect and where they come from, its declared endpoints. */
export function registerStatusApi(scope: AdminScope, options: StatusApiOptions): void {
  const { server, config, settings, endpoints, hub, traffic, overload, readiness } = options;

  scope.get(
    "/status",
    {
      schema: {
        tags,
        summary: "What runs, and how it sees the caller",
        response: { 200: Status, ...REFUSALS },
      },
    },
    async (request) => {
      const { version, startedAt, dev, publicUrl, publicOrigins } = server;
      const { endpointPrefix, realtime, keyRequired } = config;
      return {
        ...{ version, nodeVersion: process.version, startedAt, publicUrl, dev },
        publicOrigin: publicOrigins[0] ?? publicUrl,
        publicOrigins: [...publicOrigins],
        ...{ endpointPrefix, realtime, keyRequired },
        address: peerOf(request),
        connections: hub.connectionCount,
        channels: hub.channelCount,
        overload: overload.view(),
      };
    },
  );

  scope.get(
    "/ready",
    {
      schema: {
        tags,
        summary: "Whether new clients should be sent here, and if not, why",
        response: { 200: Ready, ...REFUSALS },
      },
    },
    () => readiness.view(),
  );

  scope.get(
    "/settings",
    {
      schema: {
        tags,
        summary: "Settings in effect, and where they come from",
        response: { 200: SettingsInEffect, ...REFUSALS },
      },
    },
    async () => ({
      items: settings(),
    }),
  );

  scope.get(
    "/endpoints",
    {
      schema: {
        tags,
        summary: "The declared endpoints and their calls",
        response: { 200: Endpoints, ...REFUSALS },
      },
    },
    async () => ({
      items: endpoints.map(({ id, method, path }) => {
        const { calls, denied } = traffic.endpoint(id);
        return { id, method, path, calls, denied };
      }),
    }),
  );
}
