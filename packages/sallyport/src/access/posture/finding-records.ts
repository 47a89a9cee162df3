/** What is kept of findings, by id. */
import type { ImageOf, View } from "../../changes/image.ts";
import type { FindingRecord } from "./finding-record.ts";

export class FindingRecords implements View<"finding"> {
  readonly name = "findings";
  readonly hears = ["finding"] as const;
  readonly #read: () => readonly FindingRecord[];
  readonly #byId = new Map<string, FindingRecord>();

  constructor(read: () => readonly FindingRecord[]) {
    this.#read = read;
    this.rebuild();
  }

  apply(images: readonly ImageOf<"finding">[]): void {
    for (const { id, now } of images) {
      if (now) this.#byId.set(id, now);
      else this.#byId.delete(id);
    }
  }

  rebuild(): void {
    this.#byId.clear();
    for (const record of this.#read()) this.#byId.set(record.id, record);
  }

  get(id: string): FindingRecord | undefined {
    return this.#byId.get(id);
  }

  all(): readonly FindingRecord[] {
    return [...this.#byId.values()];
  }
}
