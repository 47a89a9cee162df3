/**
 * The loop that walks a request's way (`ways.ts`). A stage looks at one thing and returns nothing (go on), a denial (a
 * value, written in the caller's dialect) or `answered` (the response is complete). Whatever happens, the exchange is
 * settled once.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Exchange } from "./exchange.ts";
import type { Way } from "./wire/endpoint.ts";

export const answered = Symbol("answered");
export type StageResult = Refusal | typeof answered | undefined;
export type Stage = (exchange: Exchange) => StageResult | Promise<StageResult>;

export interface PipelineEnds {
  /** Writes a denial in the caller's dialect. */
  readonly refuse: (exchange: Exchange, refusal: Refusal) => void;
  /** A fault: logged with its cause, answered without words. */
  readonly fault: (exchange: Exchange, cause: unknown) => void;
  /** Frees what is held, records the outcome. Called exactly once per exchange. */
  readonly settle: (exchange: Exchange) => void;
}

/** `way[ARRIVAL]` is `match`, and everything before it is the same on every way. */
const ARRIVAL = 1;

export function makePipeline(
  ways: Readonly<Record<Way, readonly Stage[]>>,
  ends: PipelineEnds,
): (exchange: Exchange) => Promise<void> {
  return async function run(exchange) {
    let way = ways.model;
    try {
      for (let i = 0; i < way.length; i++) {
        const result = way[i]!(exchange);
        const said = result instanceof Promise ? await result : result;
        if (said === answered) return;
        if (said !== undefined) {
          exchange.refusal = said;
          ends.refuse(exchange, said);
          return;
        }
        if (exchange.isGone) {
          exchange.outcome ??= exchange.goneOutcome;
          return;
        }
        if (i === ARRIVAL) way = ways[exchange.endpoint!.way];
      }
    } catch (cause) {
      exchange.refusal = refuse("fault");
      ends.fault(exchange, cause);
    } finally {
      ends.settle(exchange);
    }
  };
}
