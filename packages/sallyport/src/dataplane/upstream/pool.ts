/**
 * The upstreams of each environment (R7, R8): one group of replicas per environment, reached only through it. Redirects
 * are never followed (undici's dispatch has none), and no part of a request chooses the address.
 */
import type { Environment, UpstreamSpec } from "../../access/policy.ts";
import { USUAL_STATE } from "../../access/upstream-state.ts";
import type { UpstreamState } from "../../access/upstream-state.ts";
import { ReplicaGroup } from "./replica-group.ts";
import { Upstream } from "./upstream.ts";
import type { UpstreamPorts } from "./upstream.ts";

export interface PoolPorts extends UpstreamPorts {
  /** What administrators decided about it; absent = nothing. */
  readonly stateOf?: (environment: string, spec: UpstreamSpec) => UpstreamState;
  /** Connections of a former upstream did not close. */
  readonly onFailedClose: (cause: unknown) => void;
}

export class UpstreamPools {
  #groups = new Map<string, ReplicaGroup>();
  readonly #ports: PoolPorts;

  constructor(ports: PoolPorts) {
    this.#ports = ports;
  }

  /** Follows policy: upstreams that stay the same keep their connections, others are opened, or closed once they are idle. */
  configure(environments: Iterable<Environment>): void {
    const before = this.all();
    const former = this.#groups;
    const next = new Map<string, ReplicaGroup>();
    const kept = new Set<Upstream>();
    for (const { name, upstreams, queue } of environments) {
      const group = former.get(name) ?? new ReplicaGroup(queue, this.#ports.now);
      const replicas = upstreams.map((spec) => {
        const state = this.#ports.stateOf?.(name, spec) ?? USUAL_STATE;
        const same = group.replicas.find((held) => isSame(held.spec, spec) && held.state.tls === state.tls);
        if (!same) return new Upstream(name, spec, this.#ports, state);
        kept.add(same);
        same.state = state;
        return same;
      });
      group.configure(replicas, queue);
      next.set(name, group);
    }
    this.#groups = next;
    for (const [name, group] of former) if (!next.has(name)) group.configure([], { waitMs: 1, lengthMax: 0 });
    for (const upstream of before) if (!kept.has(upstream)) upstream.close().catch(this.#ports.onFailedClose);
  }

  /** The replicas of this environment and of no other; undefined if it does not exist. */
  groupOf(environment: string): ReplicaGroup | undefined {
    return this.#groups.get(environment);
  }

  /** The environment's upstreams, healthy or not. */
  of(environment: string): readonly Upstream[] {
    return this.#groups.get(environment)?.replicas ?? [];
  }

  /** How long a request of that principal is likely to hold a slot of the model, ms. */
  predictMs(environment: string, model: string, principal: string): number {
    return this.#groups.get(environment)?.queueOf(model).times.predictMs(principal) ?? 0;
  }

  get waiting(): number {
    let waiting = 0;
    for (const group of this.#groups.values()) waiting += group.waiting;
    return waiting;
  }

  /** Gives waiting requests what became free without a request's end: a replica that is due for its trial. */
  pump(): void {
    for (const group of this.#groups.values()) group.pump();
  }

  /** Requests that wait, by environment, for metrics. */
  waitingByEnvironment(): [waiting: number, environment: string][] {
    return [...this.#groups].map(([name, group]) => [group.waiting, name]);
  }

  /** Every configured upstream. */
  all(): readonly Upstream[] {
    return [...this.#groups.values()].flatMap((group) => group.replicas);
  }

  async close(): Promise<void> {
    await Promise.all(this.all().map((upstream) => upstream.destroy()));
  }
}

function isSame(a: UpstreamSpec, b: UpstreamSpec): boolean {
  return JSON.stringify(identityOf(a)) === JSON.stringify(identityOf(b));
}

function identityOf({ id, url, kind, concurrency, timeoutMs, timeouts }: UpstreamSpec): unknown[] {
  const { connectMs, firstByteMs, silenceMs, answerMs } = timeouts ?? {};
  return [id, url, kind, concurrency, timeoutMs, connectMs, firstByteMs, silenceMs, answerMs].map(
    (value) => value ?? null,
  );
}
