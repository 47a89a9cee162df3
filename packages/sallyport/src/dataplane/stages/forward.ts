/** The last door leads out: our bytes to one upstream of this environment, its answer back through the relay. */
import type { Exchange } from "../exchange.ts";
import { answered } from "../pipeline.ts";
import type { Stage, StageResult } from "../pipeline.ts";
import type { Tracing } from "../trace.ts";
import { changesModels, refuseElsewhere } from "./locate-model.ts";
import type { ModelOrigins } from "../upstream/model-origins.ts";
import { blobBody } from "../upstream/blob-body.ts";
import { upstreamHeaders } from "../upstream/headers.ts";
import { Relay } from "../upstream/relay.ts";
import type { RelayPorts } from "../upstream/relay.ts";

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
    // Gone while its intent was being committed: nobody is left to work for, and nobody would tell.
    if (exchange.response.destroyed) {
      exchange.outcome = "client_gone";
      return answered;
    }
    const elsewhere = refuseElsewhere(exchange, exchange.upstream!, ports.origins);
    return elsewhere instanceof Promise
      ? elsewhere.then((refusal) => refusal ?? sendToUpstream(exchange))
      : (elsewhere ?? sendToUpstream(exchange));
  };

  function sendToUpstream(exchange: Exchange): Promise<StageResult> {
    return new Promise((resolve, reject) => {
      const upstream = exchange.upstream!;
      upstream.running++;
      exchange.isForwarded = true;
      const relay = new Relay(exchange, ports, {
        finish(refusal) {
          upstream.running--;
          // Whatever was listed while the change ran may be of before it.
          if (exchange.demands.some(changesModels)) ports.origins.noteChange([upstream]);
          resolve(refusal ?? answered);
        },
        fault(cause) {
          upstream.running--;
          reject(cause instanceof Error ? cause : new Error(String(cause)));
        },
      });
      const { bytes, contentType } = exchange.serialized!;
      const body = isBlob(exchange)
        ? blobBody(exchange, (refusal) => relay.refuse(refusal))
        : bytes.length > 0
          ? bytes
          : null;
      const length =
        body === null ? undefined : Buffer.isBuffer(body) ? body.length : (exchange.contentLength ?? undefined);
      try {
        upstream.pool.dispatch(
          {
            method: exchange.request.method as "GET",
            path: exchange.endpoint!.upstreamPath(exchange.understood!, exchange.parameter),
            headers: upstreamHeaders(upstream.host, contentType, length, ports.tracing?.begin(exchange)),
            body,
          },
          relay,
        );
      } catch (cause) {
        relay.fault(cause);
      }
    });
  }
}

/** An upload of a model's file; what asks for one has no body. */
function isBlob({ endpoint, request }: Exchange): boolean {
  return endpoint!.body === "blob" && request.method === "POST";
}
