/** The right-sizing of each key that has one. */
import type { ImageOf, View } from "../../changes/image.ts";
import type { KeyRecord } from "../../keys/key.ts";
import { appliedBoundary, rightsizingId } from "./rightsizing.ts";
import type { Rightsizing } from "./rightsizing.ts";

export class Rightsizings implements View<"rightsizing"> {
  readonly name = "rightsizings";
  readonly hears = ["rightsizing"] as const;
  readonly #read: () => readonly Rightsizing[];
  readonly #byKey = new Map<string, Rightsizing>();
  /** Those that have not ended: nothing else is looked at for a request. */
  readonly #open = new Map<string, Rightsizing>();

  constructor(read: () => readonly Rightsizing[]) {
    this.#read = read;
    this.rebuild();
  }

  apply(images: readonly ImageOf<"rightsizing">[]): void {
    for (const { now } of images) this.#put(now);
  }

  rebuild(): void {
    this.#byKey.clear();
    this.#open.clear();
    for (const record of this.#read()) this.#put(record);
  }

  get(environment: string, key: string): Rightsizing | undefined {
    return this.#byKey.get(rightsizingId({ environment, key }));
  }

  all(): readonly Rightsizing[] {
    return [...this.#byKey.values()];
  }

  /** The shadow or boundary of the key; undefined for a key that has neither. */
  openOf(environment: string, key: string): Rightsizing | undefined {
    return this.#open.size === 0 ? undefined : this.#open.get(rightsizingId({ environment, key }));
  }

  /** The record as it counts now. */
  over(record: KeyRecord): KeyRecord {
    const boundary = appliedBoundary(this.openOf(record.environment, record.id));
    return boundary ? { ...record, boundary } : record;
  }

  #put(record: Rightsizing): void {
    const id = rightsizingId(record);
    this.#byKey.set(id, record);
    if (record.state === "ended") this.#open.delete(id);
    else this.#open.set(id, record);
  }
}
