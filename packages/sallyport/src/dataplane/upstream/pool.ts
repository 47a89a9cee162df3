/**
 * The upstreams of each environment (R7, R8): one connection pool per configured upstream, reached only through its
 * environment. Redirects are never followed (undici's dispatch has none), and no part of a request chooses the address.
 */
import { Pool } from "./undici.ts";
import type { Environment, UpstreamSpec } from "../../access/policy.ts";
import { Lane } from "./lane.ts";
import { pacedConnector } from "./paced-socket.ts";

const CONNECT_TIMEOUT_MS = 5_000;
const DEFAULT_TIMEOUT_MS = 300_000;
const LANES_MAX = 1_024;

export class Upstream {
  readonly environment: string;
  readonly spec: UpstreamSpec;
  readonly pool: Pool;
  /** Value of the Host header: the upstream's own, so that its host check is satisfied. */
  readonly host: string;
  running = 0;
  readonly #lanes = new Map<string, Lane>();

  constructor(environment: string, spec: UpstreamSpec) {
    const url = new URL(spec.url);
    const timeoutMs = spec.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.environment = environment;
    this.spec = spec;
    this.host = url.host;
    this.pool = new Pool(url.origin, {
      pipelining: 1,
      connect: pacedConnector(CONNECT_TIMEOUT_MS),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      keepAliveTimeout: 30_000,
    });
  }

  /** The lane of a model, when the upstream's policy bounds what runs at the same time; null where nothing waits. */
  laneFor(model: string | null): Lane | null {
    if (this.spec.concurrency === undefined || model === null) return null;
    const held = this.#lanes.get(model);
    if (held) return held;
    if (this.#lanes.size >= LANES_MAX) {
      for (const [name, lane] of this.#lanes) if (lane.isIdle) this.#lanes.delete(name);
    }
    const lane = new Lane(this.spec.concurrency);
    this.#lanes.set(model, lane);
    return lane;
  }

  get waiting(): number {
    let waiting = 0;
    for (const lane of this.#lanes.values()) waiting += lane.waiting;
    return waiting;
  }
}

export class UpstreamPools {
  #byEnvironment = new Map<string, Upstream[]>();
  readonly #onClosed: (cause: unknown) => void;

  constructor(onClosed: (cause: unknown) => void = () => {}) {
    this.#onClosed = onClosed;
  }

  /** Follows policy: upstreams that stay the same keep their connections, others are opened, or closed once they are idle. */
  configure(environments: Iterable<Environment>): void {
    const before = [...this.#byEnvironment.values()].flat();
    const next = new Map<string, Upstream[]>();
    const kept = new Set<Upstream>();
    for (const environment of environments) {
      next.set(
        environment.name,
        environment.upstreams.map((spec) => {
          const same = before.find((held) => held.environment === environment.name && isSame(held.spec, spec));
          if (same) kept.add(same);
          return same ?? new Upstream(environment.name, spec);
        }),
      );
    }
    this.#byEnvironment = next;
    for (const upstream of before) if (!kept.has(upstream)) upstream.pool.close().catch(this.#onClosed);
  }

  /**
   * The upstream of this environment with the least to do. What manages models goes to the first one always: blobs and
   * manifests are kept per server, and an upload must meet the create that names it.
   */
  choose(environment: Environment, isManagement: boolean): Upstream | undefined {
    const upstreams = this.#byEnvironment.get(environment.name);
    if (!upstreams || upstreams.length <= 1 || isManagement) return upstreams?.[0];
    let best = upstreams[0]!;
    for (const upstream of upstreams) if (upstream.running < best.running) best = upstream;
    return best;
  }

  /** The environment's upstreams, healthy or not. */
  of(environment: string): readonly Upstream[] {
    return this.#byEnvironment.get(environment) ?? [];
  }

  get waiting(): number {
    let waiting = 0;
    for (const upstreams of this.#byEnvironment.values()) for (const upstream of upstreams) waiting += upstream.waiting;
    return waiting;
  }

  /** Every configured upstream, for metrics. */
  all(): readonly Upstream[] {
    return [...this.#byEnvironment.values()].flat();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byEnvironment.values()].flat().map((upstream) => upstream.pool.destroy()));
  }
}

function isSame(a: UpstreamSpec, b: UpstreamSpec): boolean {
  return a.id === b.id && a.url === b.url && a.concurrency === b.concurrency && a.timeoutMs === b.timeoutMs;
}
