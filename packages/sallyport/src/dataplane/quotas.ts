/**
 * The budgets of requests: reserved when a request is authorized, held while it runs, settled once at its end with what
 * it really used.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { EffectiveRight } from "../access/snapshot.ts";
import { quotaBoundsOf } from "../limits/quota-bounds.ts";
import { Lease } from "../limits/lease.ts";
import type { Amounts, QuotaBound } from "../limits/quota.ts";
import type { QuotaBook, QuotaShortage } from "../limits/quota-book.ts";
import type { TokenEstimates } from "../limits/token-estimates.ts";
import { writesTokens } from "./answer/usage.ts";
import { computeMsOf } from "./cost.ts";
import type { Exchange } from "./exchange.ts";

export interface QuotaGatePorts {
  readonly book: QuotaBook;
  readonly tokens: TokenEstimates;
  /** How long a request of the principal is likely to hold a slot of the model, ms. */
  readonly predictMs: (environment: string, model: string, principal: string) => number;
}

/** A stream holds so many tokens more than it has shown, so that not every token is one more reservation. */
const BLOCK_TOKENS = 32;
/** An answer in one piece cannot be ended by its tokens, so it reserves all it may have: so much of what is left. */
const WHOLE_PART = 4;
const WHOLE_TOKENS = 2_048;

export class Quotas {
  readonly #ports: QuotaGatePorts;

  constructor(ports: QuotaGatePorts) {
    this.#ports = ports;
  }

  /** Reserves; returns how many tokens the answer may have at most, undefined for no bound, or why it may not begin. */
  reserve(exchange: Exchange, cap: number | undefined): number | undefined | Refusal {
    const right = exchange.right!;
    const key = exchange.key!;
    const understood = exchange.understood!;
    if (right.limits.length === 0) return cap;
    const bounds = quotaBoundsOf(right.environment, right.limits, key.id, understood.model);
    if (bounds.length === 0) return cap;
    const { book } = this.#ports;
    const room = (name: QuotaBound["name"]): number => book.room(bounds, name);
    const wanted: { -readonly [K in keyof Amounts]: Amounts[K] } = { requests: 1, bytes: exchange.body?.length ?? 0 };
    let most = cap;
    if (understood.model !== null && exchange.endpoint!.recorded === "inference") {
      const input = this.#ports.tokens.inputTokens(key.environment, understood.model.key, understood.inputCharacters);
      const isWriting = writesTokens(exchange.endpoint!.metering);
      const left = Math.min(room("outputTokens"), room("tokens") - input);
      let output = 0;
      if (isWriting) {
        // Without room for one token nothing begins.
        output = Math.max(
          1,
          Math.min(left, cap ?? Infinity, askedOutput(exchange), firstHold(understood.isStream, left)),
        );
        most = left === Infinity ? cap : Math.min(cap ?? Infinity, understood.isStream ? Math.max(1, left) : output);
        wanted.outputTokens = output;
      }
      exchange.reservedInputTokens = input;
      wanted.inputTokens = input;
      wanted.tokens = input + output;
      const computeLeft = room("compute");
      if (computeLeft < Infinity) {
        const predictedMs = this.#ports.predictMs(key.environment, understood.model.key, key.owner ?? key.id);
        wanted.compute = Math.max(1, Math.min(predictedMs, computeLeft));
      }
      wanted.images = understood.asked.images;
    }
    const found = book.reserve(exchange.id, bounds, wanted);
    if (!(found instanceof Lease)) return shortage(found);
    found.touchedMs = exchange.startedMs;
    exchange.lease = found;
    return most;
  }

  /**
   * Of what waits or runs, when policy has changed: it draws from the budgets as they are now. Why it must end, if one was
   * narrowed to less than what is used of it.
   */
  refuseNow({ key, understood, lease }: Exchange, right: EffectiveRight): Refusal | undefined {
    if (lease === null) return undefined;
    const narrowed = lease.rebind(quotaBoundsOf(right.environment, right.limits, key!.id, understood!.model));
    const over = narrowed.find((bound) => this.#ports.book.isOver(bound));
    return over === undefined ? undefined : refuse("quota_exceeded", wordOf(over.name));
  }

  settle(exchange: Exchange): void {
    const { lease, usage, understood, isForwarded } = exchange;
    if (understood?.model && usage !== null && !usage.isEstimated)
      this.#ports.tokens.observe(
        exchange.key!.environment,
        understood.model.key,
        understood.inputCharacters,
        usage.inputTokens,
      );
    if (lease === null) return;
    exchange.lease = null;
    // What never ran costs nothing, not even a request.
    if (!isForwarded) return lease.settle({});
    const { inputTokens = 0, outputTokens = 0 } = usage ?? {};
    lease.settle({
      requests: 1,
      inputTokens,
      outputTokens,
      tokens: inputTokens + outputTokens,
      compute: computeMsOf(exchange),
      images: understood!.asked.images,
      bytes: exchange.serialized!.bytes.length + exchange.sentBytes,
    });
  }
}

/** It has shown so many tokens of its answer: true while its budgets have them. */
export function holdTokens(lease: Lease, inputTokens: number, shown: number): boolean {
  if (shown <= lease.held("outputTokens") && inputTokens + shown <= lease.held("tokens")) return true;
  return holdOutput(lease, inputTokens, shown + BLOCK_TOKENS) || holdOutput(lease, inputTokens, shown);
}

function holdOutput(lease: Lease, inputTokens: number, output: number): boolean {
  return lease.holdAtLeast({ outputTokens: output, tokens: inputTokens + output });
}

/** Servers take 0 and less for no limit. */
function askedOutput({ understood }: Exchange): number {
  const asked = understood!.asked.outputTokens ?? 0;
  return asked > 0 ? asked : Infinity;
}

function firstHold(isStream: boolean, left: number): number {
  return isStream ? BLOCK_TOKENS : Math.max(WHOLE_TOKENS, Math.ceil(left / WHOLE_PART));
}

function shortage({ bound, retryAfterMs }: QuotaShortage): Refusal {
  return refuse("quota_exceeded", wordOf(bound.name)).with({
    retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1_000)),
  });
}

function wordOf(name: QuotaBound["name"]): string {
  if (name === "inputTokens") return "input tokens";
  return name === "outputTokens" ? "output tokens" : name;
}
