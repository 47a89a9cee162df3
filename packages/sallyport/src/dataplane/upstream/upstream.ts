/** One configured model server of one environment: its connections, its health, what runs on it. */
import type { ModelName, UpstreamKind } from "@sallyport/protocol";
import type { UpstreamSpec } from "../../access/policy.ts";
import { USUAL_STATE } from "../../access/upstream-state.ts";
import type { UpstreamState } from "../../access/upstream-state.ts";
import { AdaptiveSlots } from "./adaptive-slots.ts";
import type { LetIn } from "./adaptive-slots.ts";
import { boundsOf } from "./bounds.ts";
import type { UpstreamBounds } from "./bounds.ts";
import { ReplicaHealth } from "./health.ts";
import type { HealthPorts } from "./health.ts";
import type { ServedNames } from "./model-listing.ts";
import { pacedConnector } from "./paced-socket.ts";
import { Pool } from "./undici.ts";
import type { Connector } from "./undici.ts";

/** Ollama keeps a model loaded for so long after its last use. */
const LOADED_MS = 300_000;
/** A server that said it has not got a model is asked last for so long. */
const LACKS_MS = 30_000;
const MODELS_MAX = 1_024;
/** Tokens in a second until something was measured, and the most that one answer can make of it: callers share the measure. */
const USUAL_TOKEN_RATE = 10;
const TOKEN_RATE_MAX = 100;
/** Weight of the newest answer. */
const NEWEST = 0.1;

export interface UpstreamPorts extends Pick<HealthPorts, "now" | "random"> {
  /** A replica was taken out, or came back. */
  readonly onFitness?: (upstream: Upstream, isFit: boolean) => void;
  /** How connections are made, where it is not over the network (a rehearsal). */
  readonly connect?: Connector | undefined;
}

/** Why a request is never sent to a replica, whatever its health and its room. */
export type Misfit = "drained" | "dialect" | "model";

export class Upstream {
  readonly environment: string;
  readonly spec: UpstreamSpec;
  readonly pool: Pool;
  /** Value of the Host header: the upstream's own, so that its host check is satisfied. */
  readonly host: string;
  readonly bounds: UpstreamBounds;
  readonly health: ReplicaHealth;
  /** Its connections are made by the first one's `tls`. */
  state: UpstreamState;
  /** The names it listed last; null = it runs other names, too, or was not asked yet. */
  served: ServedNames | null = null;
  /** How many requests it says it takes at the same time; null = it does not say. */
  declaredSlots: number | null = null;
  /** Requests it was chosen for and that are not over. */
  running = 0;
  /** Tokens in a second of one answer: for answers that were aborted before they said. */
  tokenRate = USUAL_TOKEN_RATE;
  readonly #ports: UpstreamPorts;
  readonly #runningByModel = new Map<string, number>();
  /** Learned slots of each model, where policy does not say how many there are. */
  readonly #slots = new Map<string, AdaptiveSlots>();
  /** Models it served lately, or said it has not got, by the monotonic time until which that counts. */
  readonly #loadedUntilMs = new Map<string, number>();
  readonly #lacksUntilMs = new Map<string, number>();
  #freshPool: Pool | null = null;

  constructor(environment: string, spec: UpstreamSpec, ports: UpstreamPorts, state: UpstreamState = USUAL_STATE) {
    this.environment = environment;
    this.state = state;
    this.spec = spec;
    this.#ports = ports;
    this.bounds = boundsOf(spec);
    this.health = new ReplicaHealth({ ...ports, onFit: (isFit) => ports.onFitness?.(this, isFit) });
    this.host = new URL(spec.url).host;
    this.pool = this.#connect(1);
  }

  get kind(): UpstreamKind {
    return this.spec.kind ?? "ollama";
  }

  /** What its credential is sent as; undefined without one. */
  get authorization(): string | undefined {
    const { credential } = this.state;
    return credential === null ? undefined : `Bearer ${credential.reveal()}`;
  }

  /** `isNative`: the request is in Ollama's own dialect. `model`: a canonical name; null where it names none. */
  misfitOf(isNative: boolean, model: string | null): Misfit | undefined {
    if (this.state.isDrained) return "drained";
    if (isNative && this.kind !== "ollama") return "dialect";
    return model !== null && this.served !== null && !this.served.has(model) ? "model" : undefined;
  }

  /** How the server itself writes the name: some compare it letter by letter. */
  spellingOf({ key, spelling }: ModelName): string {
    const spellings = this.served?.get(key);
    return spellings === undefined || spellings.includes(spelling) ? spelling : spellings[0]!;
  }

  /**
   * Connections that are made for one request each. What may not be sent twice goes over these, and what is sent again:
   * a connection that rested may be closed by the other side at the moment it is used.
   */
  get freshPool(): Pool {
    return (this.#freshPool ??= this.#connect(0));
  }

  #connect(pipelining: 0 | 1): Pool {
    // The relay keeps the time bounds: of undici's own only that of connecting is used.
    return new Pool(new URL(this.spec.url).origin, {
      pipelining,
      connect: this.#ports.connect ?? pacedConnector(this.bounds.connectMs, this.state.tls),
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 30_000,
    });
  }

  hasRoom(model: string | null): boolean {
    return model === null || this.runningOf(model) < this.slotsOf(model);
  }

  /** Requests of the model that it runs at the same time: as policy says, else as the server says, else as learned. */
  slotsOf(model: string): number {
    return this.#fixedSlots ?? this.#learned(model).slots;
  }

  get #fixedSlots(): number | null {
    return this.spec.concurrency ?? this.declaredSlots;
  }

  /** What a request of the model meets here, itself included. */
  letIn(model: string): LetIn {
    return { running: this.runningOf(model), wasLoaded: this.#wasServed(model), beganMs: this.#ports.now() };
  }

  /** Its answer has begun; returns true where it can take more than before. */
  noteFirstByte(model: string, letIn: LetIn, isStream: boolean, isExact: boolean): boolean {
    if (this.#fixedSlots !== null) return false;
    const slots = this.#learned(model);
    const before = slots.slots;
    const nowMs = this.#ports.now();
    slots.began(letIn, nowMs - letIn.beganMs, isStream, isExact, nowMs);
    return slots.slots > before;
  }

  /** A request waited inside the server for so long. */
  noteInnerWait(model: string, letIn: LetIn, waitedMs: number): void {
    if (this.#fixedSlots === null) this.#learned(model).waited(letIn, waitedMs, this.#ports.now());
  }

  #learned(model: string): AdaptiveSlots {
    const known = this.#slots.get(model);
    if (known !== undefined && this.#slots.size < MODELS_MAX / 2) return known;
    // The table grows large only by names that no server has: what is used again stays, the oldest of the others goes.
    this.#slots.delete(model);
    if (this.#slots.size >= MODELS_MAX) this.#slots.delete(this.#slots.keys().next().value!);
    const slots = known ?? new AdaptiveSlots();
    this.#slots.set(model, slots);
    return slots;
  }

  #wasServed(model: string): boolean {
    return (this.#loadedUntilMs.get(model) ?? 0) > this.#ports.now();
  }

  runningOf(model: string): number {
    return this.#runningByModel.get(model) ?? 0;
  }

  begin(model: string | null): void {
    this.running++;
    if (model !== null) this.#runningByModel.set(model, this.runningOf(model) + 1);
  }

  end(model: string | null): void {
    this.running--;
    if (model === null) return;
    const left = this.runningOf(model) - 1;
    if (left > 0) this.#runningByModel.set(model, left);
    else this.#runningByModel.delete(model);
  }

  isLoaded(model: string): boolean {
    return this.runningOf(model) > 0 || this.#wasServed(model);
  }

  /** Models that run on it or were used in the last minutes. */
  loadedModels(): string[] {
    const nowMs = this.#ports.now();
    const used = [...this.#loadedUntilMs].filter(([, untilMs]) => untilMs > nowMs).map(([model]) => model);
    return [...new Set([...this.#runningByModel.keys(), ...used])];
  }

  lacks(model: string): boolean {
    return this.#lacksUntilMs.size > 0 && (this.#lacksUntilMs.get(model) ?? 0) > this.#ports.now();
  }

  noteServed(model: string): void {
    note(this.#loadedUntilMs, model, this.#ports.now() + LOADED_MS);
    this.#lacksUntilMs.delete(model);
  }

  noteTokenRate(rate: number): void {
    this.tokenRate += NEWEST * (Math.min(rate, TOKEN_RATE_MAX) - this.tokenRate);
  }

  noteLacks(model: string): void {
    note(this.#lacksUntilMs, model, this.#ports.now() + LACKS_MS);
  }

  /** Once the requests that run are over. */
  async close(): Promise<void> {
    await Promise.all([this.pool.close(), this.#freshPool?.close()]);
  }

  async destroy(): Promise<void> {
    await Promise.all([this.pool.destroy(), this.#freshPool?.destroy()]);
  }
}

function note(times: Map<string, number>, model: string, untilMs: number): void {
  if (times.size >= MODELS_MAX) times.clear();
  times.set(model, untilMs);
}
