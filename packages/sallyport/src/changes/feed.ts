/**
 * The one way in which memory learns of changes: a change is committed, every view shows it, waiting and running
 * requests are decided again, listeners are notified, and only then is it acknowledged. From the commit on, all of it
 * is one synchronous turn, so no request is ever served on a view that is behind. The feed does not know how changes
 * are stored.
 */
import type { Acknowledged, Change, Changes } from "./change.ts";
import { imagesOf } from "./image.ts";
import type { Committed, ImageKind, View } from "./image.ts";

/** The single writer. Resolves once the change and its events are on disk. */
export interface ChangeWriter {
  change(change: Change): Promise<Committed>;
}

export interface FeedPorts {
  readonly writer: ChangeWriter;
  /** Notified in this order; a later one may query an earlier one. */
  readonly views: readonly View[];
  /** Whether the change only takes away, judged by what there is before it. */
  readonly isNarrowing: (change: Change) => boolean;
  /** A view could not apply a change and was rebuilt, or a listener failed. */
  readonly onFault: (what: string, cause: unknown) => void;
  /** A view can neither apply a change nor be rebuilt: nothing may be served any more. */
  readonly onStale: (view: string, cause: unknown) => void;
}

/** From so many operations on, views are made ready before the commit. */
const LARGE = 100;

export class Feed implements Changes {
  readonly #ports: FeedPorts;
  readonly #views: readonly { readonly view: View; readonly hears: ReadonlySet<ImageKind> }[];
  readonly #deciders: (() => void)[] = [];
  readonly #listeners: ((committed: Committed) => void)[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #isInTurn = false;
  #rebuilt = 0;

  constructor(ports: FeedPorts) {
    this.#ports = ports;
    this.#views = ports.views.map((view) => ({ view, hears: new Set(view.hears) }));
  }

  /** How often a view was rebuilt since the start. */
  get rebuilt(): number {
    return this.#rebuilt;
  }

  /** Called when the views have changed: decides again what waits and runs. */
  onChanged(decide: () => void): void {
    this.#deciders.push(decide);
  }

  /** Called with each change that is on disk, when everything that waits and runs was decided again. */
  onCommitted(listen: (committed: Committed) => void): void {
    this.#listeners.push(listen);
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const alone = async (): Promise<T> => {
      this.#isInTurn = true;
      try {
        return await work();
      } finally {
        this.#isInTurn = false;
      }
    };
    const mine = this.#last.then(alone, alone);
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async change(wanted: Change): Promise<Acknowledged> {
    if (!this.#isInTurn) throw new Error("a change is made in a turn: call inTurn()");
    await this.prepare(wanted);
    const committed = await this.#ports.writer.change({ ...wanted, isNarrowing: this.#ports.isNarrowing(wanted) });
    this.follow(committed);
    return { epoch: committed.epoch, seq: committed.seq };
  }

  /**
   * Applies a change that is on disk. Changes come in commit order. Throws, after all listeners were notified, if
   * something could not be decided again: the caller must not take that as done.
   */
  follow(committed: Committed): void {
    const { images } = committed;
    let areAllDecided = true;
    // What only adds records changes no view: a denied call of administration must not cause every request to be
    // decided again.
    if (images.length > 0) {
      for (const { view, hears } of this.#views) this.#show(view, hears, committed);
      for (const decide of this.#deciders)
        areAllDecided = this.#guarded("deciding again after a change", decide) && areAllDecided;
    }
    for (const listen of this.#listeners) this.#guarded("telling of a change", () => listen(committed));
    if (!areAllDecided) throw new Error("a change is on disk, and what waits and runs was not decided again");
  }

  /** Resolves when no turn is under way. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** In a turn, before a change that the caller will have followed: makes views ready for a large one. */
  async prepare({ operations }: Pick<Change, "operations">): Promise<void> {
    if (operations.length < LARGE) return;
    const images = imagesOf(operations, []);
    for (const { view, hears } of this.#views) await view.prepare?.(images.filter(({ of }) => hears.has(of)));
  }

  #show(view: View, hears: ReadonlySet<ImageKind>, { images, epoch }: Committed): void {
    try {
      view.apply(
        images.filter(({ of }) => hears.has(of)),
        epoch,
      );
    } catch (cause) {
      this.#rebuilt++;
      this.#ports.onFault(`the view ${view.name} could not apply a change and is rebuilt`, cause);
      try {
        view.rebuild();
      } catch (deeper) {
        this.#ports.onStale(view.name, deeper);
      }
    }
  }

  /** False where the work failed. */
  #guarded(what: string, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (cause) {
      this.#ports.onFault(`${what} failed`, cause);
      return false;
    }
  }
}
