import fc from "fast-check";

/** Things that are no plain data: reading some of them throws. */
export function hostileThings(): unknown[] {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const revokedList = Proxy.revocable([], {});
  revokedList.revoke();
  const cyclic: Record<string, unknown> = { name: "cyclic" };
  cyclic["metadata"] = cyclic;
  const cyclicList: unknown[] = [];
  cyclicList.push(cyclicList, cyclicList);
  const throwing = new Proxy(
    {},
    {
      get: () => fail(),
      has: () => fail(),
      ownKeys: () => fail(),
      getPrototypeOf: () => fail(),
      getOwnPropertyDescriptor: () => fail(),
    },
  );
  const holes: unknown[] = [];
  holes[2] = "hole";
  const lying = new Proxy([], {
    getOwnPropertyDescriptor: (target, key) => Reflect.getOwnPropertyDescriptor(target, key),
    get: () => 2 ** 40,
  });
  return [
    revoked.proxy,
    revokedList.proxy,
    throwing,
    lying,
    cyclic,
    cyclicList,
    Object.defineProperty({}, "name", { get: () => fail(), enumerable: true }),
    Object.defineProperty([], 0, { get: () => fail() }),
    new Array(4_000_000_000),
    holes,
    Object.create(null),
    Object.create({ name: "inherited" }),
    JSON.parse('{"__proto__":{"name":"x"},"constructor":1}'),
    { [Symbol("name")]: 1 },
    { name: Object("boxed") },
    { toString: () => fail(), valueOf: () => fail(), [Symbol.toPrimitive]: () => fail() },
    new Map([["name", "map"]]),
    new Date(Number.NaN),
    () => undefined,
    Symbol("hostile"),
    10n ** 30n,
    Number.NaN,
    -0,
    "\ud800",
    "x".repeat(1_000_000),
    "https://".repeat(50_000),
    ":".repeat(200_000),
    ",".repeat(200_000),
    '";'.repeat(100_000),
    "\\".repeat(200_000),
  ];
}

function fail(): never {
  throw new Error("a trap of the test");
}

/**
 * A place for one of them. fast-check looks into what it generates and would trip over it, so it generates places, and
 * {@link bringToLife} puts the things there.
 */
class Place {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

const things = hostileThings();
export const hostileThing = fc.nat(things.length - 1).map((index) => new Place(index));

export function bringToLife(value: unknown): unknown {
  if (value instanceof Place) return things[value.index];
  if (Array.isArray(value)) return value.map((one) => bringToLife(one));
  if (typeof value !== "object" || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, bringToLife(part)]));
}
