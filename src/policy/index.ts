export type { Family } from "./address.ts";
export { addressGroup, normalizeAddress } from "./address.ts";
export type { Policy } from "./compile.ts";
export { compilePolicy, compileStored, readStored } from "./compile.ts";
export { decide } from "./decide.ts";
export { unheardMessage } from "./denial.ts";
export type { DeclaredEndpoint } from "./endpoint.ts";
export { checkEndpointEntries } from "./endpoint.ts";
export { explain } from "./explain.ts";
export type { Fault } from "./fault.ts";
export { PolicyError } from "./fault.ts";
export type {
  AddressFault,
  AddressResolver,
  ClientAddress,
  ForwardedHeader,
  Peer,
  Trust,
} from "./forwarded.ts";
export { clientAddress, createAddressResolver } from "./forwarded.ts";
export { type Judgement, type JudgementContext, judgeImported, judgeSettings } from "./judgement.ts";
export { limitKindOf } from "./limit.ts";
export { isNarrowing } from "./narrowing.ts";
export { type Network, NetworkSet, parseNetwork } from "./network.ts";
export { canonicalOrigin } from "./origin.ts";
export { parseSettings } from "./parse.ts";
export type { AccessRequest, Check, Decision, DenialCode } from "./request.ts";
export type { OriginRequest } from "./request-origin.ts";
export { originHeader, ownOrigin, requestOrigin } from "./request-origin.ts";
export type {
  BroadcastTo,
  ChannelAction,
  ChannelRule,
  EndpointMode,
  Limit,
  LimitKind,
  LimitScope,
  ListMode,
  Settings,
  SettingsInput,
} from "./settings.ts";
export { normalizedSettingsSchema, SETTINGS_LIMITS, SETTINGS_MAX_BYTES, settingsSchema } from "./settings.ts";
export { schemaOf, upgradeStored } from "./settings-schema.ts";
