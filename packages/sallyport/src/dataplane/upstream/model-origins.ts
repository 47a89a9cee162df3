/**
 * Where models run, as their servers say, fresh enough to decide by. A quiet gateway asks the server for each request; a
 * busy one uses an answer for up to a second and asks again in the background, so that looking costs little of either
 * machine. What the gateway itself changes on a server is looked at again before the next request.
 */
import type { Clock } from "../../kernel/clock.ts";
import { listRemoteModels } from "./listed-models.ts";
import type { RemoteModels } from "./listed-models.ts";
import type { Upstream } from "./pool.ts";

/** The oldest answer that is used without asking again. */
const FRESH_MS = 1_000;
/** From this age on an answer is used and asked again in the background. */
const REFRESH_MS = 500;
/** Time that may be spent on looking for single requests: so much at once, and this part of the time that passes. */
const CREDIT_MAX_MS = 100;
const CREDIT_SHARE = 0.005;

/** True = remote, false = runs on the server, undefined = the server could not be asked. */
export type Origin = boolean | undefined;

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

  constructor(clock: Clock, list: (upstream: Upstream) => Promise<RemoteModels>) {
    this.#clock = clock;
    this.#list = list;
    this.#creditAt = clock.monotonic();
  }

  isRemote(upstream: Upstream, model: string): Origin | Promise<Origin> {
    const now = this.#clock.monotonic();
    const age = now - this.#askedAt;
    const mustLook = this.#remote === null || age >= FRESH_MS;
    if (!mustLook && !this.#takeCredit(now)) {
      if (age >= REFRESH_MS) void this.#look(upstream);
      return this.#remote!.has(model);
    }
    return this.#lookFor(upstream, model);
  }

  /** The same for a request that was decided a while ago: an answer of the last second is good enough. */
  isStillRemote(upstream: Upstream, model: string): Origin | Promise<Origin> {
    const age = this.#clock.monotonic() - this.#askedAt;
    return this.#remote !== null && age < FRESH_MS ? this.#remote.has(model) : this.#lookFor(upstream, model);
  }

  /** Something on the server was or is being changed: whatever is held or on its way may be old. */
  noteChange(): void {
    this.#changes++;
    this.#remote = null;
  }

  async #lookFor(upstream: Upstream, model: string): Promise<Origin> {
    await this.#look(upstream);
    // What was on its way when the server was changed was thrown away: once more.
    if (this.#remote === null) await this.#look(upstream);
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
      if (changes === this.#changes) {
        this.#remote = remote;
        this.#askedAt = begun;
      }
    } catch {
      // The request itself will meet the same server, and says what is wrong with it.
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
  isRemote(upstream: Upstream, model: string): Origin | Promise<Origin> {
    return this.#modelsOf(upstream).isRemote(upstream, model);
  }

  /** Asked once more of the server that was chosen, when the request's turn has come. */
  isStillRemote(upstream: Upstream, model: string): Origin | Promise<Origin> {
    return this.#modelsOf(upstream).isStillRemote(upstream, model);
  }

  /**
   * Whether any of the servers would run it elsewhere: true where one of them says so, false where one or more say it is
   * theirs, undefined where none can be asked.
   */
  isRemoteOnAny(upstreams: readonly Upstream[], model: string): Origin | Promise<Origin> {
    if (upstreams.length === 1) return this.isRemote(upstreams[0]!, model);
    const origins = upstreams.map((upstream) => this.isRemote(upstream, model));
    return origins.some((origin) => origin instanceof Promise)
      ? Promise.all(origins).then(joined)
      : joined(origins as Origin[]);
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

function joined(origins: readonly Origin[]): Origin {
  if (origins.includes(true)) return true;
  return origins.includes(false) ? false : undefined;
}
