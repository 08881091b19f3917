/** Whether something is a `T`. */
export type Shape<T> = (value: unknown) => value is T;

export const isText = (value: unknown): value is string => typeof value === "string";
export const isNumber = (value: unknown): value is number => typeof value === "number";
export const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
export const isNothing = (value: unknown): value is null => value === null;
export const isAnything = (_value: unknown): _value is unknown => true;

export function orNull<T>(is: Shape<T>): Shape<T | null> {
  return (value): value is T | null => value === null || is(value);
}

export function orAbsent<T>(is: Shape<T>): Shape<T | undefined> {
  return (value): value is T | undefined => value === undefined || is(value);
}

export function either<A, B>(isFirst: Shape<A>, isSecond: Shape<B>): Shape<A | B> {
  return (value): value is A | B => isFirst(value) || isSecond(value);
}

/** One of the names of `words`. */
export function isOneOf<T extends string>(words: Readonly<Record<T, true>>): Shape<T> {
  return (value): value is T => isText(value) && Object.hasOwn(words, value);
}

export function isExactly<const T extends boolean | string>(only: T): Shape<T> {
  return (value): value is T => value === only;
}

export function listOf<T>(is: Shape<T>): Shape<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(is);
}

export function dictionaryOf<T>(is: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> => isObject(value) && Object.values(value).every(is);
}

/** An object with these members; it may have others beside them. */
export function objectOf<T extends object>(
  members: { readonly [Name in keyof T]-?: Shape<T[Name]> },
): Shape<T> {
  const shapes: [string, Shape<unknown>][] = Object.entries(members);
  return (value): value is T => isObject(value) && shapes.every(([name, is]) => is(value[name]));
}

/** What a text says as JSON; undefined when it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
