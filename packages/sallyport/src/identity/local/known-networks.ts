/**
 * Where people logged in before, read back from the audit log with the first log-in after a start: a restart must not make
 * a known user a stranger, whom the failures of strangers keep waiting.
 */
import type { AuditLog } from "../../audit/audit-log.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { GuessDelay } from "./guess-delay.ts";

const REMEMBERED_MS = 90 * 86_400_000;
const RECORDS_MAX = 10_000;
/** How long a log-in waits for it: without it, the delays still apply, but no network is known. */
const WAIT_MS = 2_000;

export interface KnownNetworksPorts {
  readonly clock: Pick<Clock, "now">;
  readonly audit: Pick<AuditLog, "search">;
  readonly delay: Pick<GuessDelay, "know">;
  readonly networkOf: (address: string) => string;
  /** The person's present name, in the spelling guesses are counted by. */
  readonly nameOf: (principal: string) => string | undefined;
}

export class KnownNetworks {
  readonly #ports: KnownNetworksPorts;
  #read: Promise<void> | null = null;

  constructor(ports: KnownNetworksPorts) {
    this.#ports = ports;
  }

  /** Resolves when they are known, or when it took too long. Never rejects. */
  async known(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, WAIT_MS)));
    await Promise.race([(this.#read ??= this.#recall()), late]);
    clearTimeout(timer);
  }

  async #recall(): Promise<void> {
    const { clock, audit, delay, networkOf, nameOf } = this.#ports;
    try {
      const since = clock.now() - REMEMBERED_MS;
      const records = await audit.search({ type: "person.proved", since, limit: RECORDS_MAX, order: "newest" });
      // The newest last: where there are too many, the oldest are forgotten.
      for (const { fields } of records.toReversed()) {
        const { principal, address } = fields;
        const name = typeof principal === "string" ? nameOf(principal) : undefined;
        // The address is a personal field: it may have ended.
        if (name !== undefined && typeof address === "string") delay.know(name, networkOf(address));
      }
    } catch {
      // Asked again with the next log-in.
      this.#read = null;
    }
  }
}
