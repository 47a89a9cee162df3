/**
 * The replicas of one environment behind one queue per model. Nothing is bound to a replica while it waits: the replica
 * is chosen when the turn comes, among those that are fit and have room, the one with the model loaded first, else the
 * one with the least to do.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { QueuePolicy } from "../../access/policy.ts";
import { FairQueue } from "../../limits/fair-queue.ts";
import type { Offer } from "../../limits/fair-queue.ts";
import { SessionPlaces } from "./session-places.ts";
import type { Upstream } from "./upstream.ts";

export type ModelQueue = FairQueue<Upstream>;

const QUEUES_MAX = 1_024;
/** Loading a model counts as much as so many running requests. */
const COLD = 2;
/** The replica that answered the key's last request is preferred, unless it has this much more to do. */
const SAME_SESSION = 0.5;
/** A replica that has not got the model is only asked when no other is there. */
const LACKING = 1e6;

export class ReplicaGroup {
  #replicas: readonly Upstream[] = [];
  #policy: QueuePolicy;
  readonly #queues = new Map<string, ModelQueue>();
  readonly #sessions = new SessionPlaces();
  readonly #now: () => number;

  constructor(policy: QueuePolicy, now: () => number) {
    this.#policy = policy;
    this.#now = now;
  }

  get replicas(): readonly Upstream[] {
    return this.#replicas;
  }

  /** One that is in service. */
  get hasOllama(): boolean {
    return this.#replicas.some(({ kind, state }) => kind === "ollama" && !state.isDrained);
  }

  get waiting(): number {
    let waiting = 0;
    for (const queue of this.#queues.values()) waiting += queue.waiting;
    return waiting;
  }

  configure(replicas: readonly Upstream[], policy: QueuePolicy): void {
    this.#replicas = replicas;
    this.#policy = policy;
    this.#sessions.clear();
    if (replicas.length === 0) for (const queue of this.#queues.values()) queue.refuseAll(refuse("upstream_missing"));
    this.pump();
  }

  /** Gives what is free to those who wait: a replica may have come back, or policy may have made room. */
  pump(): void {
    for (const queue of this.#queues.values()) queue.pump();
  }

  /** Of each model that was asked for: its queue. */
  get queues(): ReadonlyMap<string, ModelQueue> {
    return this.#queues;
  }

  /** The queue of a model. */
  queueOf(model: string): ModelQueue {
    const known = this.#queues.get(model);
    if (known) return known;
    if (this.#queues.size >= QUEUES_MAX) this.#forgetIdle();
    const queue: ModelQueue = new FairQueue<Upstream>({
      take: (caller) => this.take(model, null, caller.key, caller.isNative === true),
      rules: () => this.#policy,
      slots: () => this.slotsOf(model),
      now: this.#now,
    });
    this.#queues.set(model, queue);
    return queue;
  }

  /**
   * Begins a request on a replica: undefined = none has room now. `avoid` is taken only where no other can be.
   * `isNative`: the request is in Ollama's own dialect.
   */
  take(model: string | null, avoid: Upstream | null, key: string, isNative: boolean): Offer<Upstream> {
    const isShared = model !== null && this.#replicas.length > 1;
    const chosen = this.#choose(model, isNative, avoid, isShared ? this.#sessions.of(key) : undefined);
    if (chosen !== undefined && "health" in chosen) {
      if (chosen.health.fitness !== "up") chosen.health.beginTrial();
      chosen.begin(model);
      if (isShared) this.#sessions.note(key, chosen);
    }
    return chosen;
  }

  /**
   * What manages models goes to the first Ollama always: blobs and manifests are kept per server, and an upload must meet
   * the create that names it.
   */
  takeFirst(model: string | null): Offer<Upstream> {
    const first = this.#replicas.find(({ kind }) => kind === "ollama");
    if (first === undefined || first.state.isDrained) return this.#refuseMisfits(true, null);
    first.begin(model);
    return first;
  }

  /** The request is over on that replica; the next one gets its slot. */
  give(replica: Upstream, model: string | null): void {
    replica.end(model);
    if (model !== null) this.#queues.get(model)?.pump();
  }

  #choose(
    model: string | null,
    isNative: boolean,
    avoid: Upstream | null,
    last: Upstream | undefined,
  ): Offer<Upstream> {
    let best: Upstream | undefined;
    let bestScore = Infinity;
    let isSomeFit = false;
    let hasCandidate = false;
    for (const replica of this.#replicas) {
      if (replica.misfitOf(isNative, model) !== undefined) continue;
      hasCandidate = true;
      const { fitness } = replica.health;
      if (fitness === "out" || replica === avoid) continue;
      isSomeFit ||= fitness === "up";
      if (!replica.hasRoom(model)) continue;
      // A replica that is due for its trial gets this one call, as if it were idle.
      const score = fitness === "trial" ? -1 : scoreOf(replica, model) - (replica === last ? SAME_SESSION : 0);
      if (score < bestScore) {
        best = replica;
        bestScore = score;
      }
    }
    if (!hasCandidate) return this.#refuseMisfits(isNative, model);
    return best ?? (isSomeFit ? undefined : this.#chooseOfUnfit(model, isNative, avoid));
  }

  /** None is known to be fit: those that fail at once are tried all the same, which costs a caller nothing. */
  #chooseOfUnfit(model: string | null, isNative: boolean, avoid: Upstream | null): Offer<Upstream> {
    let best: Upstream | undefined;
    let backAtMs = Infinity;
    let hasFull = false;
    for (const replica of this.#replicas) {
      if (replica.misfitOf(isNative, model) !== undefined) continue;
      const { health } = replica;
      backAtMs = Math.min(backAtMs, health.backAtMs);
      // A server that has just rejected a connection is not asked again for the same request.
      if (health.isSilent || (replica === avoid && !health.isReachable)) continue;
      if (!replica.hasRoom(model)) hasFull = true;
      else if (best === undefined || health.backAtMs < best.health.backAtMs) best = replica;
    }
    if (best || hasFull) return best;
    const seconds = Math.max(1, Math.ceil((backAtMs - this.#now()) / 1_000));
    return refuse("upstream_unreachable").with({ retryAfterSeconds: seconds });
  }

  /** No replica is ever sent such a request: why. */
  #refuseMisfits(isNative: boolean, model: string | null): Refusal {
    if (this.#replicas.length === 0) return refuse("upstream_missing");
    const misfits = this.#replicas.map((replica) => replica.misfitOf(isNative, model));
    if (misfits.includes("drained")) return refuse("upstream_drained");
    return refuse(misfits.includes("model") ? "model_not_served" : "dialect_not_served");
  }

  /** Requests of the model that run at the same time on all replicas together. */
  slotsOf(model: string): number {
    let slots = 0;
    for (const replica of this.#replicas)
      if (replica.misfitOf(false, model) === undefined) slots += replica.slotsOf(model);
    return slots;
  }

  #forgetIdle(): void {
    for (const [model, queue] of this.#queues)
      if (queue.waiting === 0 && this.#replicas.every((replica) => replica.runningOf(model) === 0))
        this.#queues.delete(model);
  }
}

function scoreOf(replica: Upstream, model: string | null): number {
  if (model === null) return replica.running;
  if (replica.lacks(model)) return replica.running + LACKING;
  return replica.isLoaded(model) ? replica.running : replica.running + COLD;
}
