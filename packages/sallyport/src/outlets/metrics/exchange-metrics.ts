/**
 * What is counted of requests, at the one place where each exchange ends. Labels are words of closed tables (endpoint,
 * dialect, outcome, code) or of policy (environment, upstream): never a key, a principal, an address or a caller's spelling.
 */
import type { Exchange } from "../../dataplane/exchange.ts";
import type { Endpoint } from "../../dataplane/wire/endpoint.ts";
import type { Ending, EndListener } from "../../dataplane/ending.ts";
import type { Upstream } from "../../dataplane/upstream/upstream.ts";
import type { Family } from "./family.ts";
import type { Registry } from "./registry.ts";
import type { Histogram, Series } from "./series.ts";

/** From a warm model's first token to the longest answers of a large one. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** The series of one endpoint in one environment, looked up once: afterwards counting is adding. */
interface Figures {
  readonly endings: Map<Ending, Series>;
  forwarded: Forwarded | null;
}

interface Forwarded {
  readonly duration: Histogram;
  readonly firstByte: Histogram;
  readonly sentBytes: Series;
  readonly reported: Tokens;
  readonly estimated: Tokens;
}

interface Tokens {
  readonly input: Series;
  readonly output: Series;
}

export class ExchangeMetrics implements EndListener {
  readonly #requests: Family<Series>;
  readonly #refusals: Family<Series>;
  readonly #unauthenticated: Family<Series>;
  readonly #guesses: Family<Series>;
  readonly #inputTokens: Family<Series>;
  readonly #outputTokens: Family<Series>;
  readonly #firstByte: Family<Histogram>;
  readonly #duration: Family<Histogram>;
  readonly #sentBytes: Family<Series>;
  readonly #upstreamExchanges: Family<Series>;
  readonly #figures = new Map<string, Map<Endpoint | null, Figures>>();
  readonly #byUpstream = new WeakMap<Upstream, Map<Ending, Series>>();

  constructor(registry: Registry) {
    const place = ["environment", "endpoint"];
    this.#requests = registry.counter(
      "sallyport_requests_total",
      "Requests by how they ended; without an environment where no key was verified.",
      ...place, "dialect", "outcome",
    ); // prettier-ignore
    this.#refusals = registry.counter(
      "sallyport_refusals_total",
      "Denials of requests with a verified key, by problem code.",
      ...place, "code",
    ); // prettier-ignore
    this.#unauthenticated = registry.counter(
      "sallyport_unauthenticated_refusals_total",
      "Denials before a key was verified, by problem code.",
      "code",
    );
    this.#guesses = registry.counter(
      "sallyport_credential_failures_total",
      "Invalid credentials: malformed (wrong checksum), unknown_id, or wrong_secret.",
      "signal",
    );
    const tokens = [...place, "estimated"];
    this.#inputTokens = registry.counter(
      "sallyport_input_tokens_total",
      "Input tokens; estimated where the model server reports none.",
      ...tokens,
    );
    this.#outputTokens = registry.counter(
      "sallyport_output_tokens_total",
      "Output tokens; estimated where the model server reports none.",
      ...tokens,
    );
    this.#firstByte = registry.histogram(
      "sallyport_time_to_first_byte_seconds",
      "From a request's arrival to the head of the model server's answer.",
      SECONDS, ...place,
    ); // prettier-ignore
    this.#duration = registry.histogram(
      "sallyport_request_duration_seconds",
      "From a request's arrival to its end, for requests that were forwarded.",
      SECONDS, ...place,
    ); // prettier-ignore
    this.#sentBytes = registry.counter("sallyport_sent_bytes_total", "Bytes of answers sent to callers.", ...place);
    this.#upstreamExchanges = registry.counter(
      "sallyport_upstream_exchanges_total",
      "Forwarded requests by upstream and how they ended.",
      "environment", "upstream", "outcome",
    ); // prettier-ignore
  }

  ended(exchange: Exchange, ending: Ending, totalMs: number): void {
    const { endpoint, refusal, key, upstream, usage } = exchange;
    const environment = key?.environment ?? "";
    const figures = this.#figuresOf(environment, endpoint);
    this.#endingOf(figures, environment, endpoint, ending).value++;
    if (refusal !== null && ending !== "client_gone" && ending !== "client_stalled") {
      if (key) this.#refusals.at(environment, endpoint?.id ?? "", refusal.code).value++;
      else this.#unauthenticated.at(refusal.code).value++;
      if (refusal.signal !== undefined) this.#guesses.at(refusal.signal).value++;
    }
    if (!exchange.isForwarded) return;
    const forwarded = (figures.forwarded ??= this.#forwardedOf(environment, endpoint!.id));
    forwarded.duration.observe(totalMs / 1000);
    if (exchange.upstreamStatus > 0) forwarded.firstByte.observe(exchange.firstByteMs / 1000);
    forwarded.sentBytes.value += exchange.sentBytes;
    this.#endingAt(upstream!, ending).value++;
    if (usage === null) return;
    const tokens = usage.isEstimated ? forwarded.estimated : forwarded.reported;
    tokens.input.value += usage.inputTokens;
    tokens.output.value += usage.outputTokens;
  }

  /** Requests that the HTTP parser rejected: they never became an exchange. */
  refusedByParser(code: string): void {
    this.#unauthenticated.at(code).value++;
  }

  #figuresOf(environment: string, endpoint: Endpoint | null): Figures {
    let byEndpoint = this.#figures.get(environment);
    if (!byEndpoint) this.#figures.set(environment, (byEndpoint = new Map()));
    let figures = byEndpoint.get(endpoint);
    if (!figures) byEndpoint.set(endpoint, (figures = { endings: new Map(), forwarded: null }));
    return figures;
  }

  #endingOf({ endings }: Figures, environment: string, endpoint: Endpoint | null, ending: Ending): Series {
    let series = endings.get(ending);
    if (!series) {
      series = this.#requests.at(environment, endpoint?.id ?? "", endpoint?.dialect ?? "", ending);
      endings.set(ending, series);
    }
    return series;
  }

  #endingAt(upstream: Upstream, ending: Ending): Series {
    let endings = this.#byUpstream.get(upstream);
    if (!endings) this.#byUpstream.set(upstream, (endings = new Map()));
    let series = endings.get(ending);
    if (!series) {
      series = this.#upstreamExchanges.at(upstream.environment, upstream.spec.id, ending);
      endings.set(ending, series);
    }
    return series;
  }

  #forwardedOf(environment: string, endpoint: string): Forwarded {
    const tokens = (estimated: string): Tokens => ({
      input: this.#inputTokens.at(environment, endpoint, estimated),
      output: this.#outputTokens.at(environment, endpoint, estimated),
    });
    return {
      duration: this.#duration.at(environment, endpoint),
      firstByte: this.#firstByte.at(environment, endpoint),
      sentBytes: this.#sentBytes.at(environment, endpoint),
      reported: tokens("false"),
      estimated: tokens("true"),
    };
  }
}
