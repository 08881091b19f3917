import { type Static, Type } from "typebox";
import { Instant, list, nullable } from "./common.ts";

/** A setting in effect. */
export const SettingInEffect = Type.Object(
  {
    name: Type.String(),
    value: Type.Unknown({ description: "never a secret: adminToken is shown as set or not set" }),
    source: Type.Union([
      Type.Literal("flag"),
      Type.Literal("environment"),
      Type.Literal("file"),
      Type.Literal("default"),
    ]),
    environment: nullable(Type.String({ description: "the variable that sets it" })),
    description: Type.String(),
  },
  { title: "SettingInEffect" },
);
export type SettingInEffect = Static<typeof SettingInEffect>;
export const SettingsInEffect = Type.Object({ items: list(SettingInEffect) });
export type SettingsInEffect = Static<typeof SettingsInEffect>;

/** How the node stands against running short. */
export const Overload = Type.Object(
  {
    stage: Type.Integer({
      description:
        "0 nothing; 1 no new connections; 2 also no joins and large publishes; 3 also the heaviest are closed",
    }),
    since: nullable(Instant),
    causes: list(
      Type.Object({
        resource: Type.String({ description: "heap, memory, loopDelay or descriptors" }),
        value: Type.Number(),
        threshold: Type.Number(),
      }),
    ),
    heapLiveBytes: Type.Integer(),
    heapLimitBytes: Type.Integer(),
    memoryBytes: Type.Integer(),
    memoryLimitBytes: Type.Integer(),
    loopDelayMs: Type.Number(),
    descriptors: Type.Integer(),
    descriptorLimit: nullable(Type.Integer()),
    shed: Type.Integer({ description: "connections closed for it since the start" }),
  },
  { title: "Overload" },
);
export type Overload = Static<typeof Overload>;

export const Status = Type.Object(
  {
    version: Type.String(),
    nodeVersion: Type.String(),
    startedAt: Instant,
    publicUrl: Type.String({ description: "where the public listener listens" }),
    /** The first of them. */
    publicOrigin: Type.String(),
    publicOrigins: list(Type.String()),
    endpointPrefix: Type.String(),
    realtime: Type.Boolean(),
    keyRequired: Type.Boolean(),
    dev: Type.Boolean(),
    address: nullable(Type.String({ description: "the caller's, as the admin listener sees it" })),
    connections: Type.Integer(),
    channels: Type.Integer(),
    overload: Overload,
  },
  { title: "Status" },
);
export type Status = Static<typeof Status>;

/** The same as `/readyz`, with the reasons. */
export const Ready = Type.Object(
  {
    ready: Type.Boolean(),
    checks: list(
      Type.Object({ name: Type.String(), ready: Type.Boolean(), problem: nullable(Type.String()) }),
    ),
  },
  { title: "Ready" },
);
export type Ready = Static<typeof Ready>;

export const Endpoint = Type.Object(
  {
    id: Type.String(),
    method: Type.String(),
    path: Type.String({ description: "without the prefix" }),
    calls: Type.Integer({ description: "since the start, on this node" }),
    denied: Type.Integer(),
  },
  { title: "Endpoint" },
);
export type Endpoint = Static<typeof Endpoint>;
export const Endpoints = Type.Object({ items: list(Endpoint) });
export type Endpoints = Static<typeof Endpoints>;
