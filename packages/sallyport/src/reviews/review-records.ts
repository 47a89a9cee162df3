/** All reviews, by id, without their lines. */
import type { ImageOf, View } from "../changes/image.ts";
import type { ReviewRecord } from "./review.ts";

export class ReviewRecords implements View<"review"> {
  readonly name = "reviews";
  readonly hears = ["review"] as const;
  readonly #read: () => readonly ReviewRecord[];
  readonly #byId = new Map<string, ReviewRecord>();
  /** By what is withheld, the review that took it away. */
  #withheld: ReadonlyMap<string, string> | undefined;

  constructor(read: () => readonly ReviewRecord[]) {
    this.#read = read;
    this.rebuild();
  }

  apply(images: readonly ImageOf<"review">[]): void {
    for (const { id, now } of images) this.#byId.set(id, now);
    if (images.length > 0) this.#withheld = undefined;
  }

  rebuild(): void {
    this.#byId.clear();
    this.#withheld = undefined;
    for (const record of this.#read()) this.#byId.set(record.id, record);
  }

  get(id: string): ReviewRecord | undefined {
    return this.#byId.get(id);
  }

  /** Newest first. */
  all(): readonly ReviewRecord[] {
    return [...this.#byId.values()].sort((a, b) => b.startedAt - a.startedAt || (a.id < b.id ? 1 : -1));
  }

  /** The review that took this assignment of the policy file away; undefined = none did. */
  withholding(text: string): string | undefined {
    this.#withheld ??= new Map(
      [...this.#byId.values()].flatMap(({ id, withheld }) => withheld.map((one) => [one, id] as const)),
    );
    return this.#withheld.get(text);
  }
}
