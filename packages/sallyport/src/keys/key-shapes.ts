/**
 * What many keys have in common, stored once: keys of one kind share scope, limits and state, keys of one owner the
 * owner's id. Numbered from 1; 0 means that the table is full, and the key is then read from the store when it is
 * needed.
 */
import type { KeyRecord } from "./key.ts";

/** The parts of a record that are seldom its own. Frozen, because many records hold the same ones. */
export type KeyShape = Readonly<
  Pick<KeyRecord, "state" | "reason" | "told" | "ceiling" | "limits"> & { pepperVersion: number }
>;

const SHAPES_MAX = 16_384;
const TEXTS_MAX = 262_144;

export class KeyShapes {
  readonly #numbers = new Map<string, number>();
  readonly #shapes: KeyShape[] = [];

  numberOf({ state, reason, told, ceiling, limits }: KeyRecord, pepperVersion: number): number {
    const shape = { state, reason, told, ceiling, limits, pepperVersion };
    const text = JSON.stringify(shape);
    const held = this.#numbers.get(text);
    if (held !== undefined) return held;
    if (this.#shapes.length >= SHAPES_MAX) return 0;
    // A copy: the caller may keep changing the parts.
    this.#shapes.push(frozen(JSON.parse(text) as KeyShape));
    this.#numbers.set(text, this.#shapes.length);
    return this.#shapes.length;
  }

  at(number: number): KeyShape {
    return this.#shapes[number - 1]!;
  }
}

/** Owners, makers and environments. */
export class SharedTexts {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  numberOf(text: string): number {
    const held = this.#numbers.get(text);
    if (held !== undefined) return held;
    if (this.#texts.length >= TEXTS_MAX) return 0;
    this.#texts.push(text);
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.length;
  }

  at(number: number): string {
    return this.#texts[number - 1]!;
  }
}

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
