/** The log in memory: for tests of what uses it. Several "machines" share one `MemoryEpochs`. */
import { Problem } from "@sallyport/protocol";
import type { EpochEntry, LogBase, LogHead } from "./epoch-entry.ts";
import type { AppendResult, EpochLog, LogState, SequencerRight } from "./epoch-log.ts";

export class MemoryEpochs {
  base: LogBase | null = null;
  readonly entries: EpochEntry[] = [];
  fence = 0;
  holder = "";
  isClosed = false;
  owner: object | null = null;
  /** No call is answered while it is false, as with a database that is away. */
  isReachable = true;
}

export class MemoryEpochLog implements EpochLog {
  readonly #shared: MemoryEpochs;

  constructor(shared: MemoryEpochs) {
    this.#shared = shared;
  }

  async state(): Promise<LogState | undefined> {
    this.#demandReachable();
    return this.#state();
  }

  async begin(base: LogBase): Promise<boolean> {
    this.#demandReachable();
    if (this.#shared.base) return false;
    this.#shared.base = base;
    return true;
  }

  async read(after: number, limit: number): Promise<readonly EpochEntry[]> {
    this.#demandReachable();
    return this.#shared.entries.filter(({ epoch }) => epoch > after).slice(0, limit);
  }

  async acquire(holder: string): Promise<SequencerRight | undefined> {
    this.#demandReachable();
    const shared = this.#shared;
    if (shared.owner || !shared.base || shared.isClosed) return undefined;
    const me = {};
    shared.owner = me;
    shared.holder = holder;
    const fence = ++shared.fence;
    return {
      fence,
      state: this.#state()!,
      append: async (entries, expected) => this.#append(fence, entries, expected),
      renew: async (next) => {
        this.#demandReachable();
        if (shared.owner !== me || shared.fence !== fence) return false;
        shared.holder = next;
        return true;
      },
      release: async () => {
        if (shared.owner === me) shared.owner = null;
      },
    };
  }

  async end({ fence }: SequencerRight, expected: LogHead): Promise<boolean> {
    this.#demandReachable();
    const { head, fence: newest } = this.#state()!;
    if (fence !== newest || head !== expected.head) return false;
    this.#shared.isClosed = true;
    return true;
  }

  async close(): Promise<void> {}

  #append(fence: number, entries: readonly EpochEntry[], expected: LogHead): AppendResult {
    this.#demandReachable();
    const state = this.#state();
    if (state?.fence !== fence || state.isClosed) return "deposed";
    if (state.epoch !== expected.epoch || state.head !== expected.head) return "head_moved";
    this.#shared.entries.push(...entries);
    return "appended";
  }

  #state(): LogState | undefined {
    const { base, entries, fence, holder, isClosed } = this.#shared;
    if (!base) return undefined;
    const { epoch, head } = entries.at(-1) ?? base;
    return { base, epoch, head, fence, holder, isClosed };
  }

  #demandReachable(): void {
    if (!this.#shared.isReachable) throw new Problem("log_unavailable", "the log in memory is away");
  }
}
