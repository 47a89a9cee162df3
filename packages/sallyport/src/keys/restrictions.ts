/** The restrictions that hold now, by id and by key. */
import type { ImageOf, View } from "../changes/image.ts";
import type { KeyRecord } from "./key.ts";
import { laidOver } from "./restriction.ts";
import type { Restriction } from "./restriction.ts";

export class Restrictions implements View<"restriction"> {
  readonly name = "restrictions";
  readonly hears = ["restriction"] as const;
  readonly #read: () => readonly Restriction[];
  readonly #byId = new Map<string, Restriction>();
  readonly #byKey = new Map<string, Restriction[]>();

  constructor(read: () => readonly Restriction[]) {
    this.#read = read;
    this.rebuild();
  }

  get size(): number {
    return this.#byKey.size;
  }

  apply(images: readonly ImageOf<"restriction">[]): void {
    for (const { id, now } of images) {
      this.#remove(id);
      if (now) this.#put(now);
    }
  }

  rebuild(): void {
    this.#byId.clear();
    this.#byKey.clear();
    for (const restriction of this.#read()) this.#put(restriction);
  }

  #put(restriction: Restriction): void {
    const name = nameOf(restriction);
    this.#byId.set(restriction.id, restriction);
    this.#byKey.set(name, [...(this.#byKey.get(name) ?? []), restriction]);
  }

  #remove(id: string): void {
    const held = this.#byId.get(id);
    if (!held) return;
    this.#byId.delete(id);
    const others = (this.#byKey.get(nameOf(held)) ?? []).filter((one) => one !== held);
    if (others.length > 0) this.#byKey.set(nameOf(held), others);
    else this.#byKey.delete(nameOf(held));
  }

  get(id: string): Restriction | undefined {
    return this.#byId.get(id);
  }

  all(): readonly Restriction[] {
    return [...this.#byId.values()];
  }

  of(environment: string, key: string): readonly Restriction[] {
    return this.#byKey.get(`${environment}/${key}`) ?? [];
  }

  /** The record as it counts now. */
  over(record: KeyRecord): KeyRecord {
    if (this.#byKey.size === 0) return record;
    return this.of(record.environment, record.id).reduce(laidOver, record);
  }
}

function nameOf({ environment, key }: Pick<Restriction, "environment" | "key">): string {
  return `${environment}/${key}`;
}
