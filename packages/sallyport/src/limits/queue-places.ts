/**
 * Who waits in one queue: in the order of arrival for each key, and counted for each principal, so that a full queue finds
 * at once who has most of it.
 */
import type { Priority, Refusal } from "@sallyport/protocol";
import { IndexedHeap } from "./indexed-heap.ts";
import type { HeapMember } from "./indexed-heap.ts";
import type { Share } from "./share.ts";
import type { ShareHolder } from "./share-tree.ts";

/** Who asks for a slot. */
export interface QueueCaller extends ShareHolder {
  readonly priority: Priority;
  /** The request is in Ollama's own dialect: not every slot will do. Absent = it is not. */
  readonly isNative?: boolean;
}

/** Called once: with a slot, or with the reason why there will be none. */
export type Turn<S> = (slot: S | null, refusal: Refusal | undefined) => void;

/** A wait in the queue. */
export interface Waiting<S> {
  readonly caller: QueueCaller;
  readonly turn: Turn<S>;
  /** Null before all others, where shares do not count. */
  readonly share: Share | null;
  /** Higher for later arrivals. */
  readonly number: number;
  /** Monotonic ms of its arrival. */
  readonly sinceMs: number;
  timer: NodeJS.Timeout | undefined;
  isOver: boolean;
}

interface Line<S> {
  readonly share: Share;
  readonly waiting: Waiting<S>[];
}

interface Owner<S> extends HeapMember {
  readonly name: string;
  count: number;
  readonly lines: Set<Line<S>>;
}

/** So many other callers are looked at for an estimate of the place in the queue; of the rest, their number counts. */
const LOOKED_AT_MAX = 256;

export class QueuePlaces<S> {
  readonly #lines = new Map<Share, Line<S>>();
  readonly #owners = new Map<string, Owner<S>>();
  /** The owner with most requests first. */
  readonly #largest = new IndexedHeap<Owner<S>>((a, b) => a.count > b.count);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(waiting: Waiting<S>, share: Share): void {
    let line = this.#lines.get(share);
    if (line === undefined) this.#lines.set(share, (line = { share, waiting: [] }));
    line.waiting.push(waiting);
    this.#size++;
    const { principal } = waiting.caller;
    let owner = this.#owners.get(principal);
    if (owner === undefined) {
      owner = { name: principal, count: 0, lines: new Set(), place: -1 };
      this.#owners.set(principal, owner);
      this.#largest.add(owner);
    }
    owner.count++;
    owner.lines.add(line);
    this.#largest.moved(owner);
  }

  /** The longest wait of the share, which has one. */
  firstOf(share: Share): Waiting<S> {
    return this.#lines.get(share)!.waiting[0]!;
  }

  remove(waiting: Waiting<S>, share: Share): void {
    this.#size--;
    const line = this.#lines.get(share)!;
    if (line.waiting[0] === waiting) line.waiting.shift();
    else line.waiting.splice(line.waiting.indexOf(waiting), 1);
    const owner = this.#owners.get(waiting.caller.principal)!;
    owner.count--;
    if (line.waiting.length === 0) {
      this.#lines.delete(share);
      owner.lines.delete(line);
    }
    if (owner.count > 0) this.#largest.moved(owner);
    else {
      this.#largest.remove(owner);
      this.#owners.delete(owner.name);
    }
  }

  /** The newest request of the principal with most, if that is more than the newcomer would have with one more. */
  newestOfLargest(newcomer: string): Waiting<S> | undefined {
    const largest = this.#largest.first;
    if (largest === undefined || largest.count <= (this.#owners.get(newcomer)?.count ?? 0) + 1) return undefined;
    let newest: Waiting<S> | undefined;
    for (const { waiting } of largest.lines) {
      const last = waiting.at(-1)!;
      if (newest === undefined || last.number > newest.number) newest = last;
    }
    return newest;
  }

  /** Its place if all principals took turns, itself included. */
  positionOf(waiting: Waiting<S>): number {
    const owner = this.#owners.get(waiting.caller.principal)!;
    let own = 0;
    for (const { waiting: line } of owner.lines) {
      // Each line is in the order of arrival.
      for (const one of line) {
        if (one.number > waiting.number) break;
        own++;
      }
    }
    let others = 0;
    let looked = 0;
    for (const other of this.#owners.values()) {
      if (looked++ >= LOOKED_AT_MAX) break;
      if (other !== owner) others += Math.min(other.count, own - 1);
    }
    const unseen = Math.max(0, this.#owners.size - looked);
    return own + others + unseen * (own - 1);
  }
}
