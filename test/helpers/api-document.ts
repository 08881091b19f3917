import { Compile } from "typebox/schema";
import { toRecord } from "./record.ts";

/** An OpenAPI document as tests ask it: which operations there are, and whether an answer is one of theirs. */
export class ApiDocument {
  readonly document: Record<string, unknown>;
  /** `METHOD /path status` of the answers that were compared. */
  readonly compared = new Set<string>();

  constructor(document: Record<string, unknown>) {
    this.document = document;
  }

  /** `METHOD /path` of every operation. */
  get operations(): string[] {
    return Object.entries(toRecord(this.document["paths"])).flatMap(([path, item]) =>
      Object.keys(toRecord(item)).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  /** `METHOD /path status` of every answer that is no refusal. */
  get answers(): string[] {
    return this.operations.flatMap((operation) =>
      Object.keys(this.#responses(operation))
        .filter((status) => /^2/.test(status))
        .map((status) => `${operation} ${status}`),
    );
  }

  /** What is wrong with an answer by the document: nothing, if it is as documented to the last member. */
  faultsOf(operation: string, status: number, contentType: string | null, body: unknown): string[] {
    const responses = this.#responses(operation);
    const key = [String(status), "default"].find((one) => one in responses);
    if (key === undefined) return [`${operation}: ${status} is not documented`];
    this.compared.add(`${operation} ${key}`);
    const content = toRecord(toRecord(responses[key])["content"] ?? {});
    const [mediaType, media] = Object.entries(content)[0] ?? [];
    if (mediaType === undefined)
      return body === undefined ? [] : [`${operation} ${status}: a body that is not documented`];
    if (contentType?.split(";", 1)[0] !== mediaType)
      return [`${operation} ${status}: ${contentType} instead of ${mediaType}`];
    const schema = toRecord(toRecord(media)["schema"]);
    const [isValid, errors] = Compile(schema).Errors(body);
    const invalid = isValid ? [] : errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
    return [...invalid, ...undocumented(schema, body, "")].map((fault) => `${operation} ${status}: ${fault}`);
  }

  #responses(operation: string): Record<string, unknown> {
    const [method = "", path = ""] = operation.split(" ");
    const item = toRecord(toRecord(this.document["paths"])[path]);
    return toRecord(toRecord(item[method.toLowerCase()])["responses"]);
  }
}

/** Members that a body has and its schema does not name. */
function undocumented(schema: Record<string, unknown>, value: unknown, pointer: string): string[] {
  if (Array.isArray(value)) {
    const items = toRecord(schema["items"]);
    return value.flatMap((item, index) => undocumented(items, item, `${pointer}/${index}`));
  }
  if (typeof value !== "object" || value === null || !("properties" in schema)) return [];
  const properties = toRecord(schema["properties"]);
  return Object.entries(value).flatMap(([name, member]) => {
    if (name in properties) return undocumented(toRecord(properties[name]), member, `${pointer}/${name}`);
    return "additionalProperties" in schema ? [] : [`${pointer}/${name} is not documented`];
  });
}
