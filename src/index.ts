export {
  type Config,
  ConfigError,
  type ConfigInput,
  defineConfig,
  type EndpointContext,
  type EndpointDeclaration,
  loadConfig,
  type RealtimeForHandlers,
  resolveConfig,
} from "./config/config.ts";
export {
  type FormField,
  type FormFile,
  type FormPart,
  MultipartBody,
} from "./http/multipart-body.ts";
export { createServer, type ServerOptions, type SluiceServer, type Started } from "./server.ts";
