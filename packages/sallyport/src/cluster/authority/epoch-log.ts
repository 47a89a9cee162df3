/**
 * The port of the log of changes that several machines share. One sequencer may append at a time; its fencing token is
 * written with each entry, and an append counts only if the token is the newest and the log's head is the expected one.
 */
import type { EpochEntry, LogBase, LogHead } from "./epoch-entry.ts";

export interface LogState extends LogHead {
  readonly base: LogBase;
  /** Of the sequencer that holds, or held, the right last; 0 before the first. */
  readonly fence: number;
  /** What that one says of itself: where its administration is. Empty where it says nothing. */
  readonly holder: string;
  /** The deployment was moved back to a single machine: the log takes no more entries. */
  readonly isClosed: boolean;
}

export type AppendResult =
  | "appended"
  /** A newer sequencer has the right: this one can never append again. */
  | "deposed"
  /** The log's head is another one: an append with the same fencing token came first, which is a fault of the program. */
  | "head_moved";

/** The right to append, until it is released or lost. */
export interface SequencerRight {
  readonly fence: number;
  /** The state of the log when the right was given. No other sequencer has appended since. */
  readonly state: LogState;
  /**
   * All entries, or none. `entries` continue `expected`. Throws `log_unavailable` where the database does not answer: then
   * the entries may be in the log, or come to be.
   */
  append(entries: readonly EpochEntry[], expected: LogHead): Promise<AppendResult>;
  /** Whether the right is still there; says where the holder is. Throws `log_unavailable`. */
  renew(holder: string): Promise<boolean>;
  /** Gives the right back at once. Does not throw. */
  release(): Promise<void>;
}

/** Each call throws `log_unavailable` where the database cannot be reached, and `log_damaged` for rows of another shape. */
export interface EpochLog {
  /** Undefined where there is no log yet. */
  state(): Promise<LogState | undefined>;
  /** Begins the log. False where there is one already. */
  begin(base: LogBase): Promise<boolean>;
  /** Entries after an epoch, in order, at most `limit`. */
  read(after: number, limit: number): Promise<readonly EpochEntry[]>;
  /** The right to append, unless another sequencer has it. `holder` as in `renew()`. */
  acquire(holder: string): Promise<SequencerRight | undefined>;
  /** Ends the log for ever, if it still is at `expected`. False where it is not. Needs the right. */
  end(right: SequencerRight, expected: LogHead): Promise<boolean>;
  close(): Promise<void>;
}
