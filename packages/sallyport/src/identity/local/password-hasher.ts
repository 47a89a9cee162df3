/**
 * Passwords are hashed by one thread, one at a time, and only a few may wait, fewer of one network: however many people
 * knock, the memory it takes is that of one hash, and no request of a model waits for it. The thread is started with the
 * first password.
 */
import { Worker } from "node:worker_threads";
import { PASSWORD_HASHES } from "../../kernel/shared-resources.ts";
import { Shares } from "../../kernel/shares.ts";
import type { Secret } from "../../kernel/secret.ts";
import { hashesAreSame, isBelowPresent, newDerivation, readPhc, writePhc } from "./password-hash.ts";
import type { Derivation } from "./password-hash.ts";

export interface HashAsked {
  readonly id: number;
  readonly password: string;
  readonly derivation: Derivation;
}

export type HashAnswered =
  | { readonly id: number; readonly hash: Uint8Array }
  | { readonly id: number; readonly failure: string };

export type Derive = (password: string, derivation: Derivation) => Promise<Uint8Array>;

export interface Verified {
  readonly isRight: boolean;
  /** Its hash asks less than today's do. */
  readonly isOld: boolean;
}

export class PasswordHasher {
  readonly #derive: Derive;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #shares = new Shares(PASSWORD_HASHES);

  constructor(derive: Derive) {
    this.#derive = derive;
  }

  /** `network`: who asks. Undefined while too many wait already. */
  async hash(password: Secret, network: string): Promise<string | undefined> {
    const derivation = newDerivation();
    const hash = await this.#inTurn(password, derivation, network);
    return hash && writePhc({ ...derivation, hash });
  }

  /** An unreadable hash matches no password. Undefined while too many requests wait already. */
  async verify(password: Secret, phc: string, network: string): Promise<Verified | undefined> {
    const held = readPhc(phc);
    const hash = await this.#inTurn(password, held ?? newDerivation(), network);
    if (hash === undefined) return undefined;
    return held
      ? { isRight: hashesAreSame(hash, held.hash), isOld: isBelowPresent(held) }
      : { isRight: false, isOld: false };
  }

  async #inTurn(password: Secret, derivation: Derivation, network: string): Promise<Uint8Array | undefined> {
    if (this.#shares.take({ network }) !== undefined) return undefined;
    const mine = this.#turn.then(() => this.#derive(password.reveal(), derivation));
    this.#turn = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#shares.give({ network });
    }
  }
}

/** The thread, as a `Derive`. Rejects what was asked of one that died; the next question starts another. */
export class HashThread {
  readonly #waiting = new Map<number, { resolve: (hash: Uint8Array) => void; reject: (cause: Error) => void }>();
  #thread: Worker | null = null;
  #lastId = 0;

  derive(password: string, derivation: Derivation): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, reject });
      const asked: HashAsked = { id, password, derivation };
      this.#start().postMessage(asked);
    });
  }

  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #start(): Worker {
    if (this.#thread) return this.#thread;
    const thread = new Worker(new URL("./hash-thread.js", import.meta.url));
    thread.unref();
    thread.on("message", (answered: HashAnswered) => {
      const waiting = this.#waiting.get(answered.id);
      this.#waiting.delete(answered.id);
      if ("hash" in answered) waiting?.resolve(answered.hash);
      else waiting?.reject(new Error(`a password could not be hashed: ${answered.failure}`));
    });
    thread.on("error", (cause) => this.#die(thread, cause));
    thread.on("exit", () => this.#die(thread, new Error("the thread that hashes passwords has ended")));
    this.#thread = thread;
    return thread;
  }

  #die(thread: Worker, cause: Error): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    for (const { reject } of this.#waiting.values()) reject(cause);
    this.#waiting.clear();
  }
}
