/** Fields and methods that a package does not document, looked at by name. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** Calls a method if the object has it. */
export function call(target: object | undefined, name: string, ...args: readonly unknown[]): void {
  if (target !== undefined) apply(fieldOf(target, name), target, args);
}

/** Calls a function if it is one. */
export function apply(method: unknown, target: unknown, args: readonly unknown[]): void {
  if (typeof method === "function") Reflect.apply(method, target, args);
}
