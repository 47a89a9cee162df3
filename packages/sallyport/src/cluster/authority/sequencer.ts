/**
 * Gives changes their epochs, in order, for as long as it has the right. Whatever is asked for while an append is under
 * way goes into the next one: one statement and one commit for all of them. After the first append that fails, or that
 * the log rejects, a sequencer never appends again: its successor reads from the log what became of that append.
 */
import { Problem } from "@sallyport/protocol";
import { demandFits, makeEntry } from "./epoch-entry.ts";
import type { EntryDraft, EntrySigner, EpochEntry, LogHead } from "./epoch-entry.ts";
import type { SequencerRight } from "./epoch-log.ts";

interface Waiting {
  readonly draft: EntryDraft;
  readonly resolve: (entry: EpochEntry) => void;
  readonly reject: (cause: Problem) => void;
}

/** Most changes, and about most characters, in one append. All are hashed and signed in one synchronous turn (ADR 86). */
const BATCH_ENTRIES_MAX = 100;
const BATCH_TEXT_MAX = 1024 * 1024;

export class Sequencer {
  readonly #right: SequencerRight;
  readonly #signer: EntrySigner;
  #head: LogHead;
  #queue: Waiting[] = [];
  #isRunning = false;
  #end: Problem | null = null;

  constructor(right: SequencerRight, signer: EntrySigner) {
    this.#right = right;
    this.#signer = signer;
    this.#head = { epoch: right.state.epoch, head: right.state.head };
  }

  /** Where the log is, as far as this sequencer knows. */
  get head(): LogHead {
    return this.#head;
  }

  /** It appends no more. */
  get isOver(): boolean {
    return this.#end !== null;
  }

  /**
   * Resolves when the change is in the log. Rejects with `authority_standby` where it is not and never will be, with
   * `log_unavailable` where that is not known, and with `input_invalid`.
   */
  async append(draft: EntryDraft): Promise<EpochEntry> {
    if (this.#end) throw this.#end;
    demandFits(draft);
    return new Promise((resolve, reject) => {
      this.#queue.push({ draft, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  /** No more appends; what waits is rejected. Does not give the right back. */
  stop(cause: Problem): void {
    this.#end ??= cause;
    for (const { reject } of this.#queue.splice(0)) reject(this.#end);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // Those that come in this turn of the event loop share the append.
    await Promise.resolve();
    while (this.#queue.length > 0 && !this.#end) await this.#appendBatch(this.#takeBatch());
    this.#isRunning = false;
  }

  #takeBatch(): readonly Waiting[] {
    let text = 0;
    let count = 0;
    for (const { draft } of this.#queue) {
      text += draft.operations.length + draft.events.length;
      if (count > 0 && (count === BATCH_ENTRIES_MAX || text > BATCH_TEXT_MAX)) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #appendBatch(batch: readonly Waiting[]): Promise<void> {
    const { fence, state } = this.#right;
    const entries: EpochEntry[] = [];
    try {
      for (const { draft } of batch)
        entries.push(makeEntry(this.#signer, state.base.deployment, entries.at(-1) ?? this.#head, fence, draft));
      const result = await this.#right.append(entries, this.#head);
      if (result !== "appended") {
        const why = result === "deposed" ? "another gateway is the active authority now" : "the head of the log moved";
        throw new Problem("authority_standby", why);
      }
    } catch (cause) {
      const problem = cause instanceof Problem ? cause : new Problem("log_unavailable", String(cause));
      this.#end ??= problem;
      for (const { reject } of batch) reject(problem);
      return this.stop(problem);
    }
    const { epoch, head } = entries.at(-1)!;
    this.#head = { epoch, head };
    for (const [i, { resolve }] of batch.entries()) resolve(entries[i]!);
  }
}
