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
  readonly root = new Share(null, "", 1);
  #size = 0;
  #turns = 0;

  get size(): number {
    return this.#size;
  }

  /** The share of the holder's key, with the present weights. */
  of(holder: ShareHolder): Share {
    const above = holder.team === null ? this.root : this.#child(this.root, `team ${holder.team}`, holder.teamWeight);
    const principal = this.#child(above, `principal ${holder.principal}`, holder.principalWeight);
    return this.#child(principal, holder.key, holder.keyWeight);
  }

  /** The key whose turn is next; undefined if no request waits. */
  next(): Share | undefined {
    let share: Share | undefined = this.root.backlogged.first;
    for (let below = share?.backlogged.first; below !== undefined; below = below.backlogged.first) share = below;
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
    if (this.#size > SHARES_MAX) this.#dropIdle(this.root);
    for (let one = share; one.parent !== null && one.isForgettable && one.children.size === 0; one = one.parent)
      if (one.parent.children.delete(one.name)) this.#size--;
  }

  #child(parent: Share, name: string, weight: number): Share {
    let child = parent.children.get(name);
    if (child === undefined) {
      child = new Share(parent, name, weight);
      child.startTag = parent.virtualMs;
      parent.children.set(name, child);
      this.#size++;
    } else child.weight = weight;
    return child;
  }

  #clear(): void {
    this.root.children.clear();
    this.root.startTag = 0;
    this.root.virtualMs = 0;
    this.#size = 0;
  }

  #dropIdle(share: Share): void {
    for (const child of share.children.values()) {
      this.#dropIdle(child);
      if (child.waiting > 0 || child.running > 0 || child.children.size > 0) continue;
      share.children.delete(child.name);
      this.#size--;
    }
  }
}
