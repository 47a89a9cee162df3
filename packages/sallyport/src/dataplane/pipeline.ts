/**
 * The way of a request: this list, and the loop that walks it. A stage looks at one thing and says nothing (go on), a
 * refusal (a value, written in the caller's dialect) or `answered` (the answer is complete). Whatever happens, the
 * exchange is settled once.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Exchange } from "./exchange.ts";

export const answered = Symbol("answered");
export type StageResult = Refusal | typeof answered | undefined;
export type Stage = (exchange: Exchange) => StageResult | Promise<StageResult>;

/** In this order, each made once at start from its ports. */
export interface Stages {
  /** Raw request-target and headers: form, lengths, host name, client address. */
  readonly admit: Stage;
  /** Closed endpoint table: method and path, query parameters. */
  readonly match: Stage;
  /** A delivery ticket is opened here, by whoever holds it; every other request passes. */
  readonly ticket: Stage;
  /** A key is exchanged for a token here, as OAuth's clients do it; every other request passes. */
  readonly oauth: Stage;
  /** People log in here; every other request passes. */
  readonly login: Stage;
  /** Exactly one credential; the key behind it. */
  readonly authenticate: Stage;
  /** Request rate, and the right to this endpoint at all. */
  readonly limit: Stage;
  /** What a key does with itself is answered here; every other request passes. */
  readonly ownKey: Stage;
  /** A person who is logged in and his own keys are answered here; every other request passes. */
  readonly personsKeys: Stage;
  /** A slot of the key, bounded read, strict parse: what the request means. */
  readonly inspect: Stage;
  /** What is presented besides the credential and needs the body: the request's signature. */
  readonly factors: Stage;
  /** Whether the model server runs the model itself or elsewhere. */
  readonly locateModel: Stage;
  /** `decide()`, clamps, the bytes that will be sent. */
  readonly authorize: Stage;
  /** A slot of the upstream's model; decides again when its turn comes. */
  readonly queue: Stage;
  /** The intent goes to the ledger. */
  readonly record: Stage;
  /** One upstream of this environment; the answer, metered. */
  readonly forward: Stage;
}

export interface PipelineEnds {
  /** Writes a refusal in the caller's dialect. */
  readonly refuse: (exchange: Exchange, refusal: Refusal) => void;
  /** A fault: logged with its cause, answered without words. */
  readonly fault: (exchange: Exchange, cause: unknown) => void;
  /** Frees what is held, records the outcome. Called exactly once per exchange. */
  readonly settle: (exchange: Exchange) => void;
}

export function makePipeline(stages: Stages, ends: PipelineEnds): (exchange: Exchange) => Promise<void> {
  const {
    admit,
    match,
    ticket,
    oauth,
    login,
    authenticate,
    limit,
    ownKey,
    personsKeys,
    inspect,
    factors,
    locateModel,
    authorize,
    queue,
    record,
    forward,
  } = stages;
  const way: readonly Stage[] = [
    admit,
    match,
    ticket,
    oauth,
    login,
    authenticate,
    limit,
    ownKey,
    personsKeys,
    inspect,
    factors,
    locateModel,
    authorize,
    queue,
    record,
    forward,
  ];

  return async function run(exchange) {
    try {
      for (const stage of way) {
        const result = stage(exchange);
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
      }
    } catch (cause) {
      exchange.refusal = refuse("fault");
      ends.fault(exchange, cause);
    } finally {
      ends.settle(exchange);
    }
  };
}
