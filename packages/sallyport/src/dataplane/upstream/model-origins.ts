/**
 * Where models run, as their servers say, fresh enough to decide by. A quiet gateway asks the server for each request; a
 * busy one uses an answer for up to a second and asks again in the background, so that looking costs little of either
 * machine. What the gateway itself changes on a server is looked at again before the next request.
 */
import { setTimeout } from "node:timers/promises";
import { systemCodeOf } from "../../kernel/system-code.ts";
import type { Clock } from "../../kernel/clock.ts";
import { failureOf } from "./health.ts";
import { ListingUnavailable, ModelLister } from "./listed-models.ts";
import type { ModelListing } from "./model-listing.ts";
import type { Upstream } from "./upstream.ts";

/** The oldest answer that is used without asking again. */
const FRESH_MS = 1_000;
/** From this age on an answer is used and asked again in the background. */
const REFRESH_MS = 500;
/** Time that may be spent on asking for single requests: so much at once, and this part of the time that passes. */
const CREDIT_MAX_MS = 1_000;
const CREDIT_SHARE = 0.05;
/** How long a list of all servers' models waits for the slowest. */
const LEARN_MS = 2_000;

/**
 * `here`: it runs on the server. `elsewhere`: it is a remote model. `absent`: the server does not serve it. `unlisted`:
 * the server was reached, and its list cannot be read. `unknown`: the server could not be asked.
 */
export type ModelOrigin = "here" | "elsewhere" | "absent" | "unlisted" | "unknown";

type ListModels = (upstream: Upstream) => Promise<ModelListing>;

class ServerModels {
  readonly #clock: Clock;
  readonly #list: ListModels;
  #listing: ModelListing | null = null;
  /** Monotonic ms at which the server was asked for what is held. */
  #askedAt = Number.NEGATIVE_INFINITY;
  #costMs = 1;
  #creditMs = CREDIT_MAX_MS;
  #creditAt: number;
  #changes = 0;
  #looking: Promise<void> | null = null;
  /** What came last was asked for before a change. */
  #isOutdated = false;
  /** It was reached the last time it was asked, and gave no list. */
  #isUnlisted = false;

  constructor(clock: Clock, list: ListModels) {
    this.#clock = clock;
    this.#list = list;
    this.#creditAt = clock.monotonic();
  }

  originOf(upstream: Upstream, model: string): ModelOrigin | Promise<ModelOrigin> {
    const now = this.#clock.monotonic();
    const age = now - this.#askedAt;
    const mustLook = this.#listing === null || age >= FRESH_MS;
    const isQuiet = upstream.running === 0;
    if (!mustLook && !(isQuiet && this.#takeCredit(now))) {
      if (age >= REFRESH_MS) void this.#look(upstream);
      return this.#read(upstream, model);
    }
    return this.#lookFor(upstream, model);
  }

  /** The same for a request that was decided a while ago: an answer of the last second is good enough. */
  originNow(upstream: Upstream, model: string): ModelOrigin | Promise<ModelOrigin> {
    const age = this.#clock.monotonic() - this.#askedAt;
    return this.#listing !== null && age < FRESH_MS ? this.#read(upstream, model) : this.#lookFor(upstream, model);
  }

  /** The replica learns what the server serves now. */
  async learn(upstream: Upstream): Promise<void> {
    await this.originNow(upstream, "");
  }

  /** Something on the server was or is being changed: whatever is held or on its way may be old. */
  noteChange(): void {
    this.#changes++;
    this.#listing = null;
  }

  async #lookFor(upstream: Upstream, model: string): Promise<ModelOrigin> {
    await this.#look(upstream);
    // What was on its way when the server was changed was thrown away: once more.
    if (this.#listing === null && this.#isOutdated) await this.#look(upstream);
    return this.#read(upstream, model);
  }

  /** What the held list says; the replica learns what it serves. */
  #read(upstream: Upstream, model: string): ModelOrigin {
    if (this.#listing === null) return this.#isUnlisted ? "unlisted" : "unknown";
    const { remote, served, slots } = this.#listing;
    upstream.served = served;
    upstream.declaredSlots = slots ?? null;
    if (remote.has(model)) return "elsewhere";
    return served === null || served.has(model) ? "here" : "absent";
  }

  #look(upstream: Upstream): Promise<void> {
    this.#looking ??= this.#ask(upstream).finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #ask(upstream: Upstream): Promise<void> {
    const begun = this.#clock.monotonic();
    const changes = this.#changes;
    try {
      const listing = await this.#list(upstream);
      this.#isUnlisted = false;
      this.#isOutdated = changes !== this.#changes;
      if (!this.#isOutdated) {
        this.#listing = listing;
        this.#askedAt = begun;
      }
    } catch (cause) {
      this.#isOutdated = false;
      this.#isUnlisted = cause instanceof ListingUnavailable;
      // A real call like any other: a server that cannot be reached is not chosen for the request either.
      if (cause instanceof Error && !(cause instanceof ListingUnavailable))
        upstream.health.failed(failureOf(cause, !isOfConnecting(cause)));
      if (this.#clock.monotonic() - this.#askedAt >= FRESH_MS) this.#listing = null;
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
  readonly #list: ListModels;
  /** By who asks what kind of server where: environments that share a server share what is known of it. */
  readonly #servers = new Map<string, { readonly url: string; readonly models: ServerModels }>();

  constructor(clock: Clock, list?: ListModels) {
    const lister = new ModelLister(() => clock.monotonic());
    this.#clock = clock;
    this.#list = list ?? ((upstream) => lister.list(upstream));
  }

  /** Where the server would run the model. `model` is a canonical name. */
  originOf(upstream: Upstream, model: string): ModelOrigin | Promise<ModelOrigin> {
    return this.#modelsOf(upstream).originOf(upstream, model);
  }

  /** Asked once more of the server that was chosen, when the request's turn has come. */
  originNow(upstream: Upstream, model: string): ModelOrigin | Promise<ModelOrigin> {
    return this.#modelsOf(upstream).originNow(upstream, model);
  }

  /**
   * Where one of the servers would run it: elsewhere, if one of those that are known would. Else the first response of a
   * server that has it decides: a slow or dead server delays no one, and the chosen server is asked again.
   */
  originOnAny(upstreams: readonly Upstream[], model: string): ModelOrigin | Promise<ModelOrigin> {
    const asks = upstreams.filter(({ state }) => !state.isDrained);
    if (asks.length === 1) return this.originOf(asks[0]!, model);
    const known: ModelOrigin[] = [];
    const asked: Promise<ModelOrigin>[] = [];
    for (const upstream of asks) {
      if (upstream.health.fitness === "out") continue;
      const origin = this.originOf(upstream, model);
      if (origin instanceof Promise) asked.push(origin);
      else known.push(origin);
    }
    for (const origin of ["elsewhere", "here"] as const) if (known.includes(origin)) return origin;
    const others = known.includes("absent") ? "absent" : "unknown";
    return asked.length === 0 ? others : Promise.any(asked.map(whenServed)).catch(() => others);
  }

  /** Asks all of them what they serve, for a list of everything: without those that take too long. */
  async learnAll(upstreams: readonly Upstream[]): Promise<void> {
    const fit = upstreams.filter(({ health, state }) => health.fitness !== "out" && !state.isDrained);
    const learned = Promise.all(fit.map((upstream) => this.#modelsOf(upstream).learn(upstream)));
    const late = new AbortController();
    const patience = setTimeout(LEARN_MS, undefined, { ref: false, signal: late.signal }).catch(() => undefined);
    await Promise.race([learned, patience]);
    late.abort();
  }

  noteChange(upstreams: readonly Upstream[]): void {
    for (const { url, models } of this.#servers.values())
      if (upstreams.some(({ spec }) => spec.url === url)) models.noteChange();
  }

  #modelsOf(upstream: Upstream): ServerModels {
    const { kind, environment, spec, state } = upstream;
    // A server may show each caller something else, and what one is denied says nothing of another.
    const as = state.credential === null && state.tls === null ? "" : `${environment}/${spec.id}`;
    const name = `${kind} ${spec.url} ${as}`;
    let server = this.#servers.get(name);
    if (server === undefined) {
      server = { url: spec.url, models: new ServerModels(this.#clock, this.#list) };
      this.#servers.set(name, server);
    }
    return server.models;
  }
}

/** The server was never reached: there is nothing to be slow or wrong about. */
function isOfConnecting(cause: Error): boolean {
  return cause.name === "ConnectTimeoutError" || CONNECTION_CODES.has(systemCodeOf(cause) ?? "");
}

const CONNECTION_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN",
]); // prettier-ignore

async function whenServed(asked: Promise<ModelOrigin>): Promise<ModelOrigin> {
  const origin = await asked;
  if (origin !== "here" && origin !== "elsewhere") throw new Error("the server does not serve it");
  return origin;
}
