/** What a validator says of one place, in the words of JSON Schema; Fastify's and TypeBox's errors are such. */
export type SchemaError = {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string | undefined;
  readonly params: object;
};

export type PlacedMessage = { readonly pointer: string; readonly message: string };

/**
 * Schema errors as a person wants them: one message for each place. A value that is none of several words is told the words, once,
 * where JSON Schema says "must be equal to constant" for each.
 */
export function placedMessages(errors: Iterable<SchemaError>): PlacedMessage[] {
  const byPlace = new Map<string, SchemaError[]>();
  for (const error of errors) {
    const others = byPlace.get(error.instancePath);
    if (others === undefined) byPlace.set(error.instancePath, [error]);
    else others.push(error);
  }
  const places = [...byPlace.keys()];
  return [...byPlace].flatMap(([pointer, found]) => {
    // What is wrong further in says more than that this is none of the alternatives.
    const isAbove = places.some((place) => place.startsWith(`${pointer}/`));
    const told = isAbove ? found.filter(({ keyword }) => !ALTERNATIVES.has(keyword)) : found;
    return told.length === 0 ? [] : [{ pointer, message: messageOf(told) }];
  });
}

const ALTERNATIVES: ReadonlySet<string> = new Set(["anyOf", "const", "type"]);

function messageOf(errors: readonly SchemaError[]): string {
  const constants = errors.flatMap(({ params }) =>
    "allowedValue" in params ? [JSON.stringify(params.allowedValue)] : [],
  );
  const hasFlag = constants.includes("true") || constants.includes("false");
  const rest = errors
    .filter(({ keyword }) => keyword !== "const" && keyword !== "anyOf")
    .map(({ message }) => message ?? "is not valid")
    .filter((message) => !(hasFlag && message === "must be boolean"));
  const choices = [...new Set(constants)];
  const own =
    choices.length > 1 ? [`must be one of ${choices.join(", ")}`] : choices.map((one) => `must be ${one}`);
  const messages = [...new Set([...own, ...rest])];
  return messages.length === 0 ? "is not valid" : messages.join(own.length > 0 ? " or " : ", ");
}
