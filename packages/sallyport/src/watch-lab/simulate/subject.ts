/** One simulated key: who holds it, from where, with what, and what its single exchanges look like. */
import { observe } from "../../anomaly/observation.ts";
import type { Observation } from "../../anomaly/observation.ts";
import type { Draw } from "./draw.ts";
import { ENVIRONMENT, addressIn } from "./world.ts";

export type Habit = "cron" | "ci" | "chat" | "batch" | "tinker" | "dormant" | "admin";

/** An event before it has a request id: it gets one when all are in order. */
export type Event = Observation;

export interface Sizes {
  /** Tokens. */
  readonly input: number;
  readonly output: number;
  /** Deviation of the logarithm, within the key. */
  readonly spread: number;
  /** Every prompt is the same text. */
  readonly isFixed: boolean;
}

export class SimulatedSubject {
  readonly key: string;
  readonly owner: string;
  readonly peer: string;
  readonly habit: Habit;
  readonly draw: Draw;
  readonly sizes: Sizes;
  /** Hours to take off UTC for the holder's clock. */
  readonly zoneHours: number;
  /** A replay of it is rejected because of its nonce. */
  readonly isSigned: boolean;
  /** Requests a minute while it is busy; its habit says. */
  pace = 1;
  endpoint: string;
  model: string;
  client: string;
  network: string;
  address: string;

  constructor(
    said: Pick<
      SimulatedSubject,
      "key" | "owner" | "peer" | "habit" | "draw" | "sizes" | "zoneHours" | "endpoint" | "model" | "client" | "network"
    >,
  ) {
    this.key = said.key;
    this.owner = said.owner;
    this.peer = said.peer;
    this.habit = said.habit;
    this.draw = said.draw;
    this.sizes = said.sizes;
    this.zoneHours = said.zoneHours;
    this.isSigned = this.draw.chance(0.25);
    this.endpoint = said.endpoint;
    this.model = said.model;
    this.client = said.client;
    this.network = said.network;
    this.address = addressIn(this.draw, said.network);
  }

  move(network: string): void {
    this.network = network;
    this.address = addressIn(this.draw, network);
  }

  /** An inference that was served, unless `over` says otherwise. */
  exchange(at: number, over: Partial<Observation> = {}): Event {
    const { draw, sizes } = this;
    const input =
      over.inputTokens ??
      Math.max(1, Math.round(sizes.isFixed ? sizes.input : draw.logNormal(sizes.input, sizes.spread)));
    const isEmbedding = (over.endpoint ?? this.endpoint).includes("embed");
    const output = isEmbedding
      ? 0
      : (over.outputTokens ?? Math.max(1, Math.round(draw.logNormal(sizes.output, sizes.spread))));
    const firstByteMs = Math.round(draw.logNormal(180 + input * 0.2, 0.4));
    return this.#event("exchange", at, {
      outcome: "served",
      endpoint: this.endpoint,
      permissions: PERMISSIONS[over.endpoint ?? this.endpoint] ?? [],
      model: this.model,
      inputTokens: input,
      outputTokens: output,
      requestBytes: 160 + input * 4,
      answerBytes: isEmbedding ? 8_000 : 120 + output * 90,
      firstByteMs,
      totalMs: firstByteMs + output * 18,
      ...over,
    });
  }

  /** A read: lists and descriptions. */
  read(
    at: number,
    endpoint: "ollama.tags" | "openai.models" | "ollama.show" | "ollama.ps",
    over: Partial<Observation> = {},
  ): Event {
    return this.#event("exchange", at, {
      outcome: "served",
      endpoint,
      permissions: PERMISSIONS[endpoint]!,
      requestBytes: endpoint === "ollama.show" ? 60 : 0,
      answerBytes: endpoint === "ollama.show" ? 6_000 : 2_400,
      firstByteMs: 4,
      totalMs: 6,
      ...over,
    });
  }

  refused(at: number, code: string, over: Partial<Observation> = {}): Event {
    return this.#event("refused", at, { code, endpoint: this.endpoint, model: this.model, ...over });
  }

  #event(kind: "exchange" | "refused", at: number, over: Partial<Observation>): Event {
    const { key, owner, peer, address, client } = this;
    return observe({ kind, at: Math.round(at), environment: ENVIRONMENT, key, owner, peer, address, client, ...over });
  }
}

export const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  "ollama.chat": ["infer:chat"],
  "openai.chat": ["infer:chat"],
  "anthropic.messages": ["infer:chat"],
  "ollama.generate": ["infer:generate"],
  "ollama.embed": ["infer:embed"],
  "openai.embeddings": ["infer:embed"],
  "ollama.tags": ["models:list"],
  "openai.models": ["models:list"],
  "ollama.show": ["models:show"],
  "ollama.ps": ["runtime:ps"],
  "ollama.web_search": ["cloud:websearch"],
  "ollama.web_fetch": ["cloud:websearch"],
};
