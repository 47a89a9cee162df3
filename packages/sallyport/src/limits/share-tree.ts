/**
 * The tree of shares in front of one model: team -> principal -> key. Each level divides what its parent gets by weight.
 * A principal without a team stands beside the teams. A thousand keys of one person share that person's part.
 */
import { Share } from "./share.ts";

/** Whom a request is charged to, with the weight of each level. */
export interface ShareHolder {
  readonly team: string | null;
  readonly principal: string;
  readonly key: string;
  readonly teamWeight: number;
  readonly principalWeight: number;
  readonly keyWeight: number;
}

/** Idle shares with a debt are forgotten when there are so many: their callers begin again where all others are. */
const SHARES_MAX = 20_000;

export class ShareTree {
  readonly root = new Share(null, "", 1, false);
  #size = 0;
  #turns = 0;
  #dropAbove = SHARES_MAX;

  get size(): number {
    return this.#size;
  }

  /** The share of the holder's key, with the present weights. */
  of(holder: ShareHolder): Share {
    const above =
      holder.team === null ? this.root : this.#child(this.root, `team ${holder.team}`, holder.teamWeight, false);
    const principal = this.#child(above, `principal ${holder.principal}`, holder.principalWeight, false);
    return this.#child(principal, holder.key, holder.keyWeight, true);
  }

  /** The key whose turn is next; undefined if no request waits. */
  next(): Share | undefined {
    let share: Share | undefined = this.root.backlogged!.first;
    for (let below = share?.backlogged?.first; below !== undefined; below = below.backlogged?.first) share = below;
    return share;
  }

  enter(share: Share): void {
    share.enter(++this.#turns);
  }

  begin(share: Share): void {
    share.begin(++this.#turns);
  }

  end(share: Share): void {
    share.end();
    this.forget(share);
  }

  /** Drops the share and those above it that nothing depends on any more; all of them when the model is idle. */
  forget(share: Share): void {
    if (this.root.running === 0 && this.root.waiting === 0) return this.#clear();
    if (this.#size > this.#dropAbove) {
      this.#dropIdle(this.root);
      // Where most of them wait, looking again for each would cost more than it frees.
      this.#dropAbove = Math.max(SHARES_MAX, 2 * this.#size);
    }
    for (let one = share; one.parent !== null && one.isForgettable && !one.children?.size; one = one.parent)
      if (one.parent.children!.delete(one.name)) this.#size--;
  }

  #child(parent: Share, name: string, weight: number, isLeaf: boolean): Share {
    let child = parent.children!.get(name);
    if (child === undefined) {
      child = new Share(parent, name, weight, isLeaf);
      child.startTag = parent.virtualMs;
      parent.children!.set(name, child);
      this.#size++;
    } else child.weight = weight;
    return child;
  }

  #clear(): void {
    this.root.children!.clear();
    this.root.startTag = 0;
    this.root.virtualMs = 0;
    this.#size = 0;
    this.#dropAbove = SHARES_MAX;
  }

  #dropIdle(share: Share): void {
    for (const child of share.children?.values() ?? []) {
      this.#dropIdle(child);
      if (child.waiting > 0 || child.running > 0 || child.children?.size) continue;
      share.children!.delete(child.name);
      this.#size--;
    }
  }
}
