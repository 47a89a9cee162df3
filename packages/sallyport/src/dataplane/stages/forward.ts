/** The last step leads out: our bytes to one replica of this environment, and its response back through the relay. */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Place } from "../../limits/fair-queue.ts";
import type { Exchange } from "../exchange.ts";
import { withCoveredKeys } from "../keys-in-traffic.ts";
import { answered } from "../pipeline.ts";
import type { Stage, StageResult } from "../pipeline.ts";
import type { Tracing } from "../trace.ts";
import { changesModels, refuseElsewhere } from "./locate-model.ts";
import type { ModelOrigins } from "../upstream/model-origins.ts";
import { blobBody } from "../upstream/blob-body.ts";
import { upstreamHeaders } from "../upstream/headers.ts";
import type { CallFailure } from "../upstream/health.ts";
import { Relay } from "../upstream/relay.ts";
import type { RelayEnds, RelayPorts } from "../upstream/relay-ports.ts";
import { callerOf, giveReplica, holdReplica, queuedModelOf } from "../upstream/turn.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Serialized } from "../wire/understood.ts";

export interface ForwardPorts extends RelayPorts {
  /** Null = nothing is traced, and no `traceparent` is sent. */
  readonly tracing: Tracing | null;
  readonly origins: ModelOrigins;
}

export function makeForward(ports: ForwardPorts): Stage {
  return function forward(exchange) {
    if (exchange.cutBy) {
      exchange.outcome = "cut";
      return exchange.cutBy;
    }
    // Gone while its intent was being committed: there is no one to work for.
    if (exchange.isGone) {
      exchange.outcome = exchange.goneOutcome;
      return answered;
    }
    return new Promise((resolve, reject) => new Forwarding(exchange, ports, resolve, reject).send(false));
  };
}

class Forwarding implements RelayEnds {
  readonly #exchange: Exchange;
  readonly #ports: ForwardPorts;
  readonly #resolve: (result: StageResult) => void;
  readonly #reject: (cause: Error) => void;
  readonly #relay: Relay;
  #isFinished = false;
  /** Repeats that are left after a connection that broke when the request was sent, and after one that was never made. */
  #repeatsAfterSent = 1;
  #repeatsUnsent = 3;
  /** Its place before all others, while it waits for another replica. */
  #place: Place | null = null;

  constructor(
    exchange: Exchange,
    ports: ForwardPorts,
    resolve: (result: StageResult) => void,
    reject: (cause: Error) => void,
  ) {
    this.#exchange = exchange;
    this.#ports = ports;
    this.#resolve = resolve;
    this.#reject = reject;
    exchange.isForwarded = true;
    this.#relay = new Relay(exchange, ports, this);
  }

  send(isFresh: boolean): void {
    const upstream = this.#exchange.upstream!;
    const elsewhere = refuseElsewhere(this.#exchange, upstream, this.#ports.origins);
    if (elsewhere instanceof Promise)
      elsewhere.then(
        (refusal) => this.#dispatch(isFresh, refusal),
        (cause: unknown) => this.#relay.fault(cause),
      );
    else this.#dispatch(isFresh, elsewhere);
  }

  #dispatch(isFresh: boolean, elsewhere: Refusal | undefined): void {
    const exchange = this.#exchange;
    const upstream = exchange.upstream!;
    // The caller has gone, or was aborted, while the server was asked.
    if (this.#isFinished) return;
    if (elsewhere) {
      if (elsewhere.code === "cloud_denied") this.#relay.refuse(elsewhere, "broken");
      else if (!this.repeat("unreachable")) {
        if (elsewhere.code === "upstream_unreachable") this.#relay.unreachable();
        else this.#relay.refuse(elsewhere, "unreachable");
      }
      return;
    }
    const endpoint = exchange.endpoint!;
    const { bytes, contentType } = this.#serializedFor(upstream);
    const body = isBlob(exchange)
      ? blobBody(exchange, (refusal) => this.#relay.refuse(refusal, "altered"))
      : bytes.length > 0
        ? bytes
        : null;
    const length =
      body === null ? undefined : Buffer.isBuffer(body) ? body.length : (exchange.contentLength ?? undefined);
    try {
      // What acts on models may not be sent twice: it never meets a connection that rested and may be closed.
      const pool = isFresh || endpoint.recorded === "management" ? upstream.freshPool : upstream.pool;
      pool.dispatch(
        {
          method: exchange.request.method as "GET",
          path: endpoint.upstreamPath(exchange.understood!, exchange.parameter),
          headers: upstreamHeaders(
            upstream.host,
            contentType,
            length,
            this.#ports.tracing?.begin(exchange),
            upstream.authorization,
          ),
          body,
        },
        this.#relay,
      );
    } catch (cause) {
      this.#relay.fault(cause);
    }
  }

  /** The bytes name the model as this server does. */
  #serializedFor(upstream: Upstream): Serialized {
    const exchange = this.#exchange;
    const { understood, terms } = exchange;
    const model = understood!.model;
    if (model !== null && terms !== null) {
      const spelling = upstream.spellingOf(model);
      if (spelling !== exchange.spelling) {
        exchange.spelling = spelling;
        const serialized = understood!.serialize(terms, spelling);
        exchange.serialized = withCoveredKeys(exchange, serialized);
      }
    }
    return exchange.serialized!;
  }

  /**
   * Once more, on another replica where there is one. This is safe for inference and reads: they change nothing on the
   * server, the caller has seen nothing, and one answer is metered. A request that was sent is repeated once, so that one
   * that kills its server kills no more than two. What manages models is never repeated.
   */
  repeat(failure: CallFailure): boolean {
    const exchange = this.#exchange;
    const { group, endpoint } = exchange;
    if (group === null || endpoint!.recorded === "management") return false;
    if (failure === "broken") {
      if (this.#repeatsAfterSent-- <= 0) return false;
      // A connection that is awaited in vain takes its time: not once more for each replica.
    } else if ((this.#repeatsUnsent -= failure === "silent" ? 2 : 1) < 0) return false;
    const failed = exchange.upstream!;
    const model = queuedModelOf(exchange);
    const caller = callerOf(exchange);
    giveReplica(exchange, this.#ports.clock);
    const offer = group.take(model, failed, caller.key, caller.isNative === true);
    if (offer !== undefined) {
      if (isRefusal(offer)) {
        this.#relay.refuse(offer, "unreachable");
        return true;
      }
      holdReplica(exchange, group, caller, offer, this.#ports.clock);
      this.send(true);
      return true;
    }
    // What has no model waits for none, and is given up.
    if (model === null) return false;
    this.#place = group.queueOf(model).waitFirst(caller, (slot: Upstream | null, refusal: Refusal | undefined) => {
      this.#place = null;
      if (slot === null) return this.#relay.refuse(refusal!, "unreachable");
      holdReplica(exchange, group, caller, slot, this.#ports.clock);
      this.send(true);
    });
    return true;
  }

  finish(refusal: Refusal | undefined): void {
    // It ended while it waited; the place is released, and nothing is reported twice.
    this.#place?.leave(refuse("queue_timeout"));
    this.#isFinished = true;
    // What was listed while a change ran may be of before it.
    const { upstream, demands } = this.#exchange;
    if (upstream !== null && demands.some(changesModels)) this.#ports.origins.noteChange([upstream]);
    this.#resolve(refusal ?? answered);
  }

  fault(cause: unknown): void {
    this.#isFinished = true;
    this.#reject(cause instanceof Error ? cause : new Error(String(cause)));
  }
}

/** An upload of a model's file; what asks for one has no body. */
function isBlob({ endpoint, request }: Exchange): boolean {
  return endpoint!.body === "blob" && request.method === "POST";
}
