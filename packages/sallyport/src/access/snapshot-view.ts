/** The present snapshot, kept up with every change of policy. A large one is made ready before it is committed. */
import type { View } from "../changes/image.ts";
import { LongWork } from "../kernel/long-work.ts";
import type { PolicyImage } from "./operations.ts";
import type { Agents, PolicyState } from "./policy.ts";
import { compileSnapshot, snapshotWith } from "./snapshot.ts";
import type { Snapshot } from "./snapshot.ts";

/** Images that are taken into the next snapshot at once. */
const SLICE = 100;

interface Prepared {
  /** What it was made of. */
  readonly from: Snapshot;
  readonly images: readonly PolicyImage[];
  readonly next: Snapshot;
}

export class SnapshotView implements View<PolicyImage["of"]> {
  readonly name = "policy";
  readonly hears = ["environment", "role", "principal", "group", "assignment"] as const;
  readonly #read: () => PolicyState;
  readonly #agents: Agents;
  #present: Snapshot;
  #prepared: Prepared | undefined;

  constructor(read: () => PolicyState, agents: Agents) {
    this.#read = read;
    this.#agents = agents;
    this.#present = compileSnapshot(read(), agents);
  }

  get present(): Snapshot {
    return this.#present;
  }

  async prepare(images: readonly PolicyImage[]): Promise<void> {
    const from = this.#present;
    let next = from;
    const work = new LongWork();
    for (let at = 0; at < images.length; at += SLICE) {
      next = snapshotWith(next, images.slice(at, at + SLICE), from.epoch);
      const resting = work.rest();
      if (resting) await resting;
    }
    this.#prepared = { from, images, next };
  }

  apply(images: readonly PolicyImage[], epoch: number): void {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    const isReady = prepared?.from === this.#present && isSame(prepared.images, images);
    this.#present = isReady ? snapshotWith(prepared.next, [], epoch) : snapshotWith(this.#present, images, epoch);
  }

  rebuild(): void {
    this.#present = compileSnapshot(this.#read(), this.#agents);
  }
}

/** The same records in the same order. */
function isSame(some: readonly PolicyImage[], others: readonly PolicyImage[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ of, id, now }, i) => now === others[i]!.now && id === others[i]!.id && of === others[i]!.of)
  );
}
