/**
 * Reads policy texts away from the thread of requests: one at a time, each within bounds of time and memory, and few of one
 * administrator waiting, so that one who sends hostile texts holds up neither requests nor the other administrators for long.
 */
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { Problem } from "@sallyport/protocol";
import { systemClock } from "../kernel/clock.ts";
import { LongWork, nextRound } from "../kernel/long-work.ts";
import { POLICY_TEXTS } from "../kernel/shared-resources.ts";
import { Shares } from "../kernel/shares.ts";
import { threadRanMs } from "../kernel/thread-time.ts";
import { joinPolicyRead } from "./policy-pieces.ts";
import type { PolicyReadPiece } from "./policy-pieces.ts";
import type { PolicyTextRead } from "./policy-text.ts";

/** Processor time of the thread, and its start: a valid file of ten thousand assignments takes one to two seconds. */
const RUN_MS_MAX = 5_000;
/** Time that passes: on a busy machine a thread waits long for its turn. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 250;
const HEAP_MB_MAX = 256;

/** First who it is, where the kernel names threads; then how many pieces lie ready. */
export type ThreadSays = { readonly thread: string } | { readonly count: number };

/** Reads one text; rejects where it takes more than it may. */
export type ReadInThread = (text: string) => Promise<PolicyTextRead>;

export class PolicyTextReader {
  readonly #read: ReadInThread;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #places = new Shares(POLICY_TEXTS);

  constructor(read: ReadInThread = readInThread) {
    this.#read = read;
  }

  /** Throws `rate_limited` while too many wait, `input_invalid` for a text that takes too long. */
  async read(text: string, actor: string): Promise<PolicyTextRead> {
    if (this.#places.take({ actor }) !== undefined) throw new Problem("rate_limited");
    const mine = this.#turn.then(() => this.#read(text));
    this.#turn = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#places.give({ actor });
    }
  }
}

async function readInThread(text: string): Promise<PolicyTextRead> {
  // In this turn the text was read out of its request; to start a thread takes as long again.
  await nextRound();
  const { port1: ours, port2: pieces } = new MessageChannel();
  return new Promise<PolicyTextRead>((resolve, reject) => {
    const thread = new Worker(new URL("./policy-text-thread.js", import.meta.url), {
      workerData: { text, pieces },
      transferList: [pieces],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
    });
    thread.unref();
    const tooLong = (): Problem => new Problem("input_invalid", "the policy takes too long to read: write it simpler");
    const startedMs = systemClock.monotonic();
    let threadId: string | undefined;
    const look = setInterval(() => {
      const ranMs = threadId === undefined ? undefined : threadRanMs(threadId);
      if (isTooLong(ranMs, systemClock.monotonic() - startedMs)) end(() => reject(tooLong()));
    }, LOOK_MS);
    function end(settle: () => void): void {
      clearInterval(look);
      settle();
      void thread.terminate();
    }
    thread.on("message", (said: ThreadSays) => {
      if ("thread" in said) threadId = said.thread;
      else end(() => resolve(takePieces(ours, said.count)));
    });
    thread.once("error", (cause: Error & { code?: string }) =>
      end(() => reject(cause.code === "ERR_WORKER_OUT_OF_MEMORY" ? tooLong() : cause)),
    );
    thread.once("exit", () => end(() => reject(new Error("the thread that reads policy texts has ended"))));
  }).finally(() => ours.close());
}

/** Where the kernel does not say how long the thread ran, the time that passed counts for both. */
export function isTooLong(ranMs: number | undefined, passedMs: number): boolean {
  return (ranMs ?? passedMs) >= RUN_MS_MAX || passedMs >= PATIENCE_MS;
}

/** Messages are taken in slices: the port has no listener, so none arrives by itself. */
async function takePieces(port: MessagePort, count: number): Promise<PolicyTextRead> {
  const work = new LongWork();
  const pieces: PolicyReadPiece[] = [];
  while (pieces.length < count) {
    const next = receiveMessageOnPort(port) as { readonly message: PolicyReadPiece } | undefined;
    // What a policy does not contain is removed, so a part of a policy must not be applied.
    if (!next) throw new Error("a policy that was read did not arrive whole");
    pieces.push(next.message);
    const resting = work.rest();
    if (resting) await resting;
  }
  return joinPolicyRead(pieces);
}
