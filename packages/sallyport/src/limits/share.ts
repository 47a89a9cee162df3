/**
 * One node of the tree of shares: a team, a principal or a key that uses one model, with what it was charged so far. Its
 * start tag (start-time fair queueing, Goyal 1996) grows with each charge, divided by its weight; the child with the
 * smallest start tag is served next, and of equals the one that was served longest ago.
 */
import { IndexedHeap } from "./indexed-heap.ts";
import type { HeapMember } from "./indexed-heap.ts";

export class Share implements HeapMember {
  place = -1;
  readonly parent: Share | null;
  readonly name: string;
  weight: number;
  /** Charged service by weight, ms: where its next request begins in its parent's virtual time. */
  startTag = 0;
  /** Of its children: the start tag of the one that was served last. */
  virtualMs = 0;
  /** When it was served last: a count that grows with each turn. */
  servedAt = 0;
  /** When it began to wait: a count that grows. */
  since = 0;
  waiting = 0;
  running = 0;
  readonly children = new Map<string, Share>();
  /** Its children for which a request waits. */
  readonly backlogged = new IndexedHeap<Share>(isBefore);

  constructor(parent: Share | null, name: string, weight: number) {
    this.parent = parent;
    this.name = name;
    this.weight = weight;
  }

  /** Charges the node and those above it; a negative charge gives back what was predicted too high. */
  charge(costMs: number): void {
    this.startTag += costMs / this.weight;
    if (this.parent === null) return;
    this.parent.backlogged.moved(this);
    this.parent.charge(costMs);
  }

  /** One more waits in it; `turn` grows. A share that returns gets no credit for the time in which it wanted nothing. */
  enter(turn: number): void {
    const isFirst = this.waiting++ === 0;
    if (this.parent === null) return;
    if (isFirst) {
      this.#lift(this.parent);
      this.since = turn;
      this.parent.backlogged.add(this);
    }
    this.parent.enter(turn);
  }

  /** One less waits in it. */
  leave(): void {
    if (--this.waiting === 0) this.parent?.backlogged.remove(this);
    this.parent?.leave();
  }

  /** One of it gets a slot; `turn` grows with each. */
  begin(turn: number): void {
    this.running++;
    this.servedAt = turn;
    const { parent } = this;
    if (parent === null) return;
    if (this.waiting === 0) this.#lift(parent);
    parent.virtualMs = Math.max(parent.virtualMs, this.startTag);
    parent.backlogged.moved(this);
    parent.begin(turn);
  }

  /** One of it gives its slot back. */
  end(): void {
    this.running--;
    this.parent?.end();
  }

  /** Its charge no longer matters: it would be lifted to where its parent is when it returns. */
  get isForgettable(): boolean {
    return this.waiting === 0 && this.running === 0 && (this.parent === null || this.startTag <= this.parent.virtualMs);
  }

  #lift(parent: Share): void {
    if (this.startTag < parent.virtualMs) this.startTag = parent.virtualMs;
  }
}

function isBefore(a: Share, b: Share): boolean {
  if (a.startTag !== b.startTag) return a.startTag < b.startTag;
  return a.servedAt === b.servedAt ? a.since < b.since : a.servedAt < b.servedAt;
}
