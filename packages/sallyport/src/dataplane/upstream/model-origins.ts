/**
 * Where models run, as their servers say, fresh enough to decide by. A quiet gateway asks the server for each request; a
 * busy one uses an answer for up to a second and asks again in the background, so that looking costs little of either
 * machine. What the gateway itself changes on a server is looked at again before the next request.
 */
import { systemCodeOf } from "../../kernel/system-code.ts";
import type { Clock } from "../../kernel/clock.ts";
import { failureOf } from "./health.ts";
import { ListingUnavailable, listRemoteModels } from "./listed-models.ts";
import type { RemoteModels } from "./listed-models.ts";
import type { Upstream } from "./upstream.ts";

/** The oldest answer that is used without asking again. */
const FRESH_MS = 1_000;
/** From this age on an answer is used and asked again in the background. */
const REFRESH_MS = 500;
/** Time that may be spent on asking for single requests: so much at once, and this part of the time that passes. */
const CREDIT_MAX_MS = 1_000;
const CREDIT_SHARE = 0.05;

/** True = remote, false = runs on the server, undefined = the server could not be asked. */
export type ModelOrigin = boolean | undefined;

class ServerModels {
  readonly #clock: Clock;
  readonly #list: (upstream: Upstream) => Promise<RemoteModels>;
  #remote: RemoteModels | null = null;
  /** Monotonic ms at which the server was asked for what is held. */
  #askedAt = Number.NEGATIVE_INFINITY;
  #costMs = 1;
  #creditMs = CREDIT_MAX_MS;
  #creditAt: number;
  #changes = 0;
  #looking: Promise<void> | null = null;
  /** What came last was asked for before a change. */
  #isOutdated = false;

  constructor(clock: Clock, list: (upstream: Upstream) => Promise<RemoteModels>) {
    this.#clock = clock;
    this.#list = list;
    this.#creditAt = clock.monotonic();
  }

  isRemote(upstream: Upstream, model: string): ModelOrigin | Promise<ModelOrigin> {
    const now = this.#clock.monotonic();
    const age = now - this.#askedAt;
    const mustLook = this.#remote === null || age >= FRESH_MS;
    const isQuiet = upstream.running === 0;
    if (!mustLook && !(isQuiet && this.#takeCredit(now))) {
      if (age >= REFRESH_MS) void this.#look(upstream);
      return this.#remote!.has(model);
    }
    return this.#lookFor(upstream, model);
  }

  /** The same for a request that was decided a while ago: an answer of the last second is good enough. */
  isStillRemote(upstream: Upstream, model: string): ModelOrigin | Promise<ModelOrigin> {
    const age = this.#clock.monotonic() - this.#askedAt;
    return this.#remote !== null && age < FRESH_MS ? this.#remote.has(model) : this.#lookFor(upstream, model);
  }

  /** Something on the server was or is being changed: whatever is held or on its way may be old. */
  noteChange(): void {
    this.#changes++;
    this.#remote = null;
  }

  async #lookFor(upstream: Upstream, model: string): Promise<ModelOrigin> {
    await this.#look(upstream);
    // What was on its way when the server was changed was thrown away: once more.
    if (this.#remote === null && this.#isOutdated) await this.#look(upstream);
    return this.#remote?.has(model);
  }

  #look(upstream: Upstream): Promise<void> {
    this.#looking ??= this.#ask(upstream).finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #ask(upstream: Upstream): Promise<void> {
    const begun = this.#clock.monotonic();
    const changes = this.#changes;
    try {
      const remote = await this.#list(upstream);
      this.#isOutdated = changes !== this.#changes;
      if (!this.#isOutdated) {
        this.#remote = remote;
        this.#askedAt = begun;
      }
    } catch (cause) {
      this.#isOutdated = false;
      // A real call like any other: a server that cannot be reached is not chosen for the request either.
      if (cause instanceof Error && !(cause instanceof ListingUnavailable))
        upstream.health.failed(failureOf(cause, !isOfConnecting(cause)));
      if (this.#clock.monotonic() - this.#askedAt >= FRESH_MS) this.#remote = null;
    }
    this.#costMs = Math.max(0.1, this.#clock.monotonic() - begun);
  }

  #takeCredit(now: number): boolean {
    this.#creditMs = Math.min(CREDIT_MAX_MS, this.#creditMs + (now - this.#creditAt) * CREDIT_SHARE);
    this.#creditAt = now;
    if (this.#creditMs < this.#costMs) return false;
    this.#creditMs -= this.#costMs;
    return true;
  }
}

export class ModelOrigins {
  readonly #clock: Clock;
  readonly #list: (upstream: Upstream) => Promise<RemoteModels>;
  /** By the server's address: environments that share a server share what is known of it. */
  readonly #servers = new Map<string, ServerModels>();

  constructor(clock: Clock, list: (upstream: Upstream) => Promise<RemoteModels> = listRemoteModels) {
    this.#clock = clock;
    this.#list = list;
  }

  /** Whether the server would run the model elsewhere. `model` is a canonical name. */
  isRemote(upstream: Upstream, model: string): ModelOrigin | Promise<ModelOrigin> {
    return this.#modelsOf(upstream).isRemote(upstream, model);
  }

  /** Asked once more of the server that was chosen, when the request's turn has come. */
  isStillRemote(upstream: Upstream, model: string): ModelOrigin | Promise<ModelOrigin> {
    return this.#modelsOf(upstream).isStillRemote(upstream, model);
  }

  /**
   * Whether one of the servers would run it elsewhere; undefined if none can be asked. The first response decides: a
   * slow or dead server delays no one, and the chosen server is asked again.
   */
  isRemoteOnAny(upstreams: readonly Upstream[], model: string): ModelOrigin | Promise<ModelOrigin> {
    if (upstreams.length === 1) return this.isRemote(upstreams[0]!, model);
    const known: boolean[] = [];
    const asked: Promise<ModelOrigin>[] = [];
    for (const upstream of upstreams) {
      if (upstream.health.fitness === "out") continue;
      const origin = this.isRemote(upstream, model);
      if (origin instanceof Promise) asked.push(origin);
      else if (origin !== undefined) known.push(origin);
    }
    if (known.length > 0) return known.includes(true);
    return Promise.any(asked.map(whenKnown)).catch(() => undefined);
  }

  noteChange(upstreams: readonly Upstream[]): void {
    for (const upstream of upstreams) this.#modelsOf(upstream).noteChange();
  }

  #modelsOf(upstream: Upstream): ServerModels {
    const { url } = upstream.spec;
    let models = this.#servers.get(url);
    if (models === undefined) {
      models = new ServerModels(this.#clock, this.#list);
      this.#servers.set(url, models);
    }
    return models;
  }
}

/** The server was never reached: there is nothing to be slow or wrong about. */
function isOfConnecting(cause: Error): boolean {
  return cause.name === "ConnectTimeoutError" || CONNECTION_CODES.has(systemCodeOf(cause) ?? "");
}

const CONNECTION_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN",
]); // prettier-ignore

async function whenKnown(asked: Promise<ModelOrigin>): Promise<boolean> {
  const origin = await asked;
  if (origin === undefined) throw new Error("the server could not be asked");
  return origin;
}
