/**
 * What the log says about exchanges: at level debug one line each, otherwise only that a model server has problems,
 * rate-limited per server. Fields are listed one by one: the model is the canonical name, and prompts, responses,
 * credentials and details of denials never appear.
 */
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Ending, EndListener } from "./ending.ts";
import type { Exchange } from "./exchange.ts";
import type { Upstream } from "./upstream/upstream.ts";

export const TROUBLE_EVERY_MS = 10_000;

const TROUBLES: ReadonlySet<Ending> = new Set<Ending>(["unreachable", "timed_out", "broken", "incomplete"]);

interface Trouble {
  saidAtMs: number;
  /** Exchanges that went wrong since it was said. */
  unsaid: number;
  /** Trouble was said, and nothing was served since. */
  isOn: boolean;
}

export class ExchangeLog implements EndListener {
  readonly #log: Log;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #isDebug: boolean;
  readonly #troubles = new WeakMap<Upstream, Trouble>();

  constructor(log: Log, clock: Pick<Clock, "monotonic">) {
    this.#log = log;
    this.#clock = clock;
    this.#isDebug = log.isLevelEnabled("debug");
  }

  ended(exchange: Exchange, ending: Ending, totalMs: number): void {
    if (this.#isDebug) this.#log.debug(fieldsOf(exchange, ending, totalMs), "a request ended");
    if (exchange.upstream === null) return;
    if (TROUBLES.has(ending)) this.#sayTrouble(exchange.upstream, ending);
    else if (ending === "served") this.#sayRecovery(exchange.upstream);
  }

  #sayTrouble(upstream: Upstream, ending: Ending): void {
    const nowMs = this.#clock.monotonic();
    const trouble = this.#troubles.get(upstream) ?? { saidAtMs: -Infinity, unsaid: 0, isOn: false };
    this.#troubles.set(upstream, trouble);
    if (nowMs - trouble.saidAtMs < TROUBLE_EVERY_MS) {
      trouble.unsaid++;
      return;
    }
    const { unsaid } = trouble;
    Object.assign(trouble, { saidAtMs: nowMs, unsaid: 0, isOn: true });
    this.#log.warn({ ...nameOf(upstream), outcome: ending, unsaid }, "an upstream is in trouble");
  }

  #sayRecovery(upstream: Upstream): void {
    const trouble = this.#troubles.get(upstream);
    if (!trouble?.isOn) return;
    trouble.isOn = false;
    this.#log.info(nameOf(upstream), "an upstream answers again");
  }
}

function nameOf({ environment, spec }: Upstream): { readonly environment: string; readonly upstream: string } {
  return { environment, upstream: spec.id };
}

function fieldsOf(exchange: Exchange, ending: Ending, totalMs: number): object {
  const { key, endpoint, upstream, usage } = exchange;
  return {
    request: exchange.id,
    environment: key?.environment,
    key: key?.id,
    address: exchange.address,
    endpoint: endpoint?.id,
    dialect: endpoint?.dialect,
    model: exchange.understood?.model?.key,
    upstream: upstream?.spec.id,
    outcome: ending,
    code: exchange.refusal?.code,
    upstream_status: exchange.upstreamStatus,
    input_tokens: usage?.inputTokens,
    output_tokens: usage?.outputTokens,
    is_estimated: usage?.isEstimated,
    first_byte_ms: exchange.firstByteMs,
    total_ms: Math.round(totalMs),
    bytes: exchange.sentBytes,
  };
}
