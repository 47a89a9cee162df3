/** The callers of a rehearsal: each sends one request after another over its connection, until enough were answered. */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { LongWork } from "../../kernel/long-work.ts";
import type { Ending, EndListener } from "../ending.ts";
import type { Exchange } from "../exchange.ts";

/** What most programs send. A pause between two requests lets real ones go first, so few run at the same time. */
const CALLERS = 4;
/** An answer that does not come ends the rehearsal, too. */
const LONGEST_MS = 10_000;

const messages = `[{"role":"user","content":"${"x".repeat(300)}"}]`;
const requests = [
  ["/api/chat", `{"model":"rehearsal","messages":${messages}}`],
  ["/v1/chat/completions", `{"model":"rehearsal","messages":${messages},"stream":true}`],
  ["/api/chat", `{"model":"rehearsal","messages":${messages},"stream":false}`],
  ["/v1/chat/completions", `{"model":"rehearsal","messages":${messages},"stream":false}`],
] as const;

export interface RehearsalEnd {
  /** Exchanges that were served. */
  readonly served: number;
  /** The first ending that was not the expected one; null where all went well. */
  readonly failure: Ending | null;
}

export class RehearsalCallers implements EndListener {
  readonly #key: string;
  readonly #isWanted: () => boolean;
  /** By the name that each gives as its program. */
  readonly #callers = new Map<string, Socket>();
  readonly #work = new LongWork();
  #late: NodeJS.Timeout | undefined;
  readonly #most: number;
  #sent = 0;
  #served = 0;
  #resolve: (end: RehearsalEnd) => void = () => {};

  /** `isWanted` is asked before each request: false ends the rehearsal. */
  constructor(key: string, most: number, isWanted: () => boolean) {
    this.#most = most;
    this.#isWanted = isWanted;
    this.#key = key;
  }

  /** Resolves when it is over. */
  begin(path: string): Promise<RehearsalEnd> {
    return new Promise<RehearsalEnd>((resolve) => {
      this.#resolve = resolve;
      this.#late = setTimeout(resolve, LONGEST_MS, { served: this.#served, failure: "timed_out" }).unref();
      const onGone = (): void => resolve({ served: this.#served, failure: "client_gone" });
      for (let i = 0; i < CALLERS; i++) {
        const name = `rehearsal/${i}`;
        const caller = connect({ path }).on("error", onGone).on("close", onGone).resume();
        this.#callers.set(name, caller);
        this.#send(name, caller);
      }
    });
  }

  close(): void {
    clearTimeout(this.#late);
    for (const caller of this.#callers.values()) caller.destroy();
  }

  ended(exchange: Exchange, ending: Ending): void {
    const name = exchange.client ?? "";
    const caller = this.#callers.get(name);
    if (!caller) return;
    if (ending !== "served") return this.#resolve({ served: this.#served, failure: ending });
    this.#served++;
    const resting = this.#work.rest() ?? new Promise((resolve) => setImmediate(resolve));
    void resting.then(() => this.#send(name, caller));
  }

  #send(name: string, caller: Socket): void {
    if (this.#sent >= this.#most || !this.#isWanted()) {
      // The code that closes the connections lets the last running ones end.
      if (this.#served >= this.#sent || !this.#isWanted()) this.#resolve({ served: this.#served, failure: null });
      return;
    }
    const [path, body] = requests[this.#sent++ % requests.length]!;
    caller.write(
      `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${this.#key}\r\ncontent-type: application/json\r\nuser-agent: ${name}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  }
}
