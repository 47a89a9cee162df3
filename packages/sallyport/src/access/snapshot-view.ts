/** The present snapshot, kept up with every change of policy. */
import type { View } from "../changes/image.ts";
import type { PolicyImage } from "./operations.ts";
import type { Agents, PolicyState } from "./policy.ts";
import { compileSnapshot, snapshotWith } from "./snapshot.ts";
import type { Snapshot } from "./snapshot.ts";

export class SnapshotView implements View<PolicyImage["of"]> {
  readonly name = "policy";
  readonly hears = ["environment", "role", "principal", "group", "assignment"] as const;
  readonly #read: () => PolicyState;
  readonly #agents: Agents;
  #present: Snapshot;

  constructor(read: () => PolicyState, agents: Agents) {
    this.#read = read;
    this.#agents = agents;
    this.#present = compileSnapshot(read(), agents);
  }

  get present(): Snapshot {
    return this.#present;
  }

  apply(images: readonly PolicyImage[], epoch: number): void {
    this.#present = snapshotWith(this.#present, images, epoch);
  }

  rebuild(): void {
    this.#present = compileSnapshot(this.#read(), this.#agents);
  }
}
