/**
 * Shapes of stored values, checked on every read: a value that is not exactly of its shape is damage, and damage is a
 * fault, never a default. A shape is a function that gives the value back, typed, or throws `Misshapen`.
 */
export class Misshapen extends Error {
  constructor(where: string, expected: string) {
    super(`${where}: expected ${expected}`);
    this.name = "Misshapen";
  }
}

export type Shape<T> = (value: unknown, where: string) => T;
export type ShapeOf<S> = S extends Shape<infer T> ? T : never;

export const text: Shape<string> = (value, where) => {
  if (typeof value !== "string") throw new Misshapen(where, "text");
  return value;
};

export const number: Shape<number> = (value, where) => {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Misshapen(where, "a number");
  return value;
};

export const wholeNumber: Shape<number> = (value, where) => {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new Misshapen(where, "a whole number");
  return value;
};

export const flag: Shape<boolean> = (value, where) => {
  if (value !== 0 && value !== 1) throw new Misshapen(where, "0 or 1");
  return value === 1;
};

export const yesNo: Shape<boolean> = (value, where) => {
  if (typeof value !== "boolean") throw new Misshapen(where, "true or false");
  return value;
};

/**
 * A member of the union `T`, which has to be named: every member is listed and no other, so that a union that grows does
 * not compile until it can be read back.
 */
export function oneOf<T extends string = never>(
  members: [T] extends [never] ? never : Readonly<Record<T, true>>,
): Shape<T> {
  return amongst(Object.keys(members) as T[]);
}

/** A member of a list from which the union itself is made. */
export function amongst<const T extends string>(allowed: readonly T[]): Shape<T> {
  return (value, where) => {
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw new Misshapen(where, `one of ${allowed.join(", ")}`);
    return found;
  };
}

/** Text that a predicate of the domain accepts. */
export function textThat<T extends string>(isOne: (text: string) => text is T, expected: string): Shape<T> {
  return (value, where) => {
    if (typeof value !== "string" || !isOne(value)) throw new Misshapen(where, expected);
    return value;
  };
}

export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value, where) => (value === null ? null : shape(value, where));
}

export function orText<const T extends string, U>(literal: T, shape: Shape<U>): Shape<T | U> {
  return (value, where) => (value === literal ? literal : shape(value, where));
}

export function listOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) throw new Misshapen(where, "a list");
    return value.map((part: unknown, i) => shape(part, `${where}[${i}]`));
  };
}

type Members = Readonly<Record<string, Shape<unknown>>>;
type Built<M extends Members, O extends Members> = { readonly [K in keyof M]: ShapeOf<M[K]> } & {
  readonly [K in keyof O]?: ShapeOf<O[K]>;
};

/** An object with all of `members`, perhaps some of `optional`, and nothing else. */
export function object<M extends Members, O extends Members = Record<never, never>>(
  members: M,
  optional?: O,
): Shape<Built<M, O>> {
  return (value, where) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Misshapen(where, "an object");
    const built: Record<string, unknown> = {};
    for (const [name, part] of Object.entries(value)) {
      const shape = own(members, name) ?? (optional && own(optional, name));
      if (!shape) throw new Misshapen(where, `no member ${name}`);
      built[name] = shape(part, `${where}.${name}`);
    }
    for (const name of Object.keys(members))
      if (!Object.hasOwn(built, name)) throw new Misshapen(where, `a member ${name}`);
    return built as Built<M, O>;
  };
}

/** A JSON column. */
export function json<T>(shape: Shape<T>): Shape<T> {
  return (value, where) => {
    if (typeof value !== "string") throw new Misshapen(where, "JSON text");
    let read: unknown;
    try {
      read = JSON.parse(value);
    } catch {
      throw new Misshapen(where, "JSON text");
    }
    return shape(read, where);
  };
}

function own(members: Members, name: string): Shape<unknown> | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}
