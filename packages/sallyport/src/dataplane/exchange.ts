/**
 * One request and its answer, from socket to settlement. Every field is assigned in the constructor so that all
 * exchanges have one hidden class; a stage fills in its own part and reads what earlier ones filled in.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Refusal } from "@sallyport/protocol";
import type { Question } from "../access/decide.ts";
import type { Demand } from "../access/demand.ts";
import type { Presented } from "../access/door.ts";
import type { EffectiveRight } from "../access/snapshot.ts";
import type { Ticket } from "../audit/recorder.ts";
import type { Secret } from "../kernel/secret.ts";
import type { KeyRecord, KeySecret } from "../keys/key.ts";
import type { Retirement } from "../keys/retirement.ts";
import type { Service } from "../limits/fair-queue.ts";
import type { RateVerdict } from "../limits/gcra.ts";
import type { Lease } from "../limits/lease.ts";
import type { Token } from "../tokens/token.ts";
import type { Workload } from "../tokens/workload-tokens.ts";
import type { ByteOwner } from "./byte-budget.ts";
import type { Form } from "./oauth/form.ts";
import type { LetIn } from "./upstream/adaptive-slots.ts";
import type { AnswerWriter } from "./upstream/answer-writer.ts";
import type { ReplicaGroup } from "./upstream/replica-group.ts";
import type { Upstream } from "./upstream/upstream.ts";
import type { Usage } from "./answer/usage.ts";
import type { Endpoint } from "./wire/endpoint.ts";
import type { Serialized, Terms, Understood } from "./wire/understood.ts";

export type Outcome =
  | "served" // the terminal mark of the dialect was seen
  | "upstream_error" // the upstream answered with an error status, or an error inside the stream
  | "incomplete" // the upstream ended without its terminal mark
  | "unreachable"
  | "timed_out"
  | "broken" // the upstream answered what it must not
  | "client_gone"
  | "client_stalled" // the client did not read its answer
  | "altered" // the bytes that passed were not those the request named
  | "cut" // the right ended while it ran
  | "limited" // a budget or the longest service time ended it
  | "not_recorded"; // the intent could not be committed, nothing was shown

/** Ids are lower-case hex: 32 digits for the trace, 16 for a span. */
export interface TraceIdentity {
  readonly traceId: string;
  readonly spanId: string;
  /** The caller's span; null where this one begins the trace. */
  readonly parentSpanId: string | null;
  /** False where the caller said that this trace is not kept. */
  readonly isSampled: boolean;
}

/** A wait or a running stream that can be ended with a denial, or because its client has gone. */
export interface Interruptible {
  cut(refusal: Refusal): void;
  /** The client's connection has closed: there is no one to inform. */
  leave(): void;
  /** Now and then, to keep time bounds. */
  tick(nowMs: number): void;
}

export class Exchange implements Presented {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  /** Epoch ms and monotonic ms of arrival. */
  readonly at: number;
  readonly startedMs: number;
  /** True when the client waits for `100 Continue` before it sends its body. */
  readonly expectsContinue: boolean;

  /** The headers that carry meaning for us, as sent; null where absent. */
  host: string | null = null;
  origin: string | null = null;
  /** The program that asked, as `client-name.ts` makes it fit to record; null where none is named. */
  client: string | null = null;
  contentType: string | null = null;
  contentEncoding: string | null = null;
  contentLength: number | null = null;
  isChunked = false;
  /** It carries a signature, which is not verified yet. */
  hasSignature = false;
  /** It asks what it cost. */
  asksForUsage = false;

  path = "";
  query = "";
  /** The environment named by the path's beginning (`/e/prod`), for what an environment says of its tokens; never a part of `path`. */
  environmentPath: string | null = null;
  /** The credential that stood in the path; never a part of `path`. */
  pathSecret: Secret | null = null;
  /** The client's address, through trusted proxies, IPv4-mapped IPv6 normalised. */
  address = "";
  corsOrigin: string | null = null;

  endpoint: Endpoint | null = null;
  parameter: string | null = null;

  key: KeyRecord | null = null;
  /** Which of the key's secrets was sent. */
  secret: KeySecret | null = null;
  /** When that secret stops working, where the caller should be told by now. */
  retirement: Retirement | null = null;
  /** The public key of the Ollama client whose signature was the credential; null = it was another. Nothing that could be stolen was sent. */
  ollamaSigner: string | null = null;
  /** The credential was a token of that key; null = the key itself. */
  token: Token | null = null;
  /** Who acts as the key by a token of their issuer; null = the key itself. */
  workload: Workload | null = null;
  right: EffectiveRight | null = null;
  rate: RateVerdict | null = null;

  /** The body as it came, until it was understood and a signature over it verified. */
  body: Buffer | null = null;
  /** Of what the gateway answers itself: what the body says. */
  json: unknown = null;
  form: Form | null = null;
  /** A person's session that was proven in the OAuth way, to be handed to the program that polled for it. */
  session: Secret | null = null;
  /** Its signature was verified, against a key registered to the credential, and which one that was. */
  isSigned = false;
  signer: string | null = null;
  /** It stands for a person or workload who proved a short while ago who it is. */
  isIdentified = false;

  /** Bytes of the global budget held by this exchange, and in whose share. */
  heldBytes = 0;
  byteOwner: ByteOwner | null = null;
  understood: Understood | null = null;
  /** What is demanded, of the models as their server has them. */
  demands: readonly Demand[] = [];
  /** The model is a remote one, by its name or by what the model server says of it. */
  isRemoteModel = false;
  question: Question | null = null;
  /** What was granted, as far as the bytes depend on it. */
  terms: Terms | null = null;
  serialized: Serialized | null = null;
  /** Keys in its bytes are covered, however often these are written; `escaped` = some of them are escaped. Null = they are not. */
  coversKeys: "plain" | "escaped" | null = null;
  /** How those bytes spell the model; null = as the caller did. */
  spelling: string | null = null;

  /** Its places among the requests that run at the same time. */
  heldPlaces: readonly string[] | null = null;
  /** What it reserved of its budgets; null where it has none. */
  lease: Lease | null = null;
  /** Input tokens in that, as estimated. */
  reservedInputTokens = 0;
  /** Its place among the live ones; -1 = it is not among them. */
  livePlace = -1;
  /** The replica that was chosen, or was chosen last. */
  upstream: Upstream | null = null;
  /** While it holds a slot of that replica, whom the slot goes back to. */
  group: ReplicaGroup | null = null;
  /** Monotonic ms at which it got that slot. */
  turnMs = 0;
  /** What it is charged for that slot; null where nothing is. */
  service: Service | null = null;
  /** What it met on that replica. */
  letIn: LetIn | null = null;
  /** How long it waited for a slot, ms. */
  queuedMs = 0;
  /** How long it held slots, ms, once it has given them back. */
  heldMs = 0;

  /** Its place in a trace; null where nothing is traced. */
  trace: TraceIdentity | null = null;
  ticket: Ticket | null = null;
  /** It is served though its intent could not be recorded, as its environment's policy wants it. */
  isUnrecorded = false;
  refusal: Refusal | null = null;
  outcome: Outcome | null = null;
  /** Its bytes were given to an upstream's connections, whatever came of it. */
  isForwarded = false;
  upstreamStatus = 0;
  /** Writes its answer, once the head is out. */
  writer: AnswerWriter | null = null;
  /** When the upstream says to come back, where it answered that it is busy. */
  retryAfterSeconds: number | null = null;
  usage: Usage | null = null;
  firstByteMs = 0;
  sentBytes = 0;
  isSettled = false;
  /**
   * Set by whatever stage can be interrupted. An object, not a function: with a function made for each request in this
   * field, every request that was over was kept until the next full collection (seen: 8 kB each, Node 20).
   */
  interruptible: Interruptible | null = null;
  /** Its client's connection has closed. */
  isGone = false;
  /** It was closed because the client did not read. */
  isStalled = false;
  /** It was aborted between two stages, when nothing could be interrupted: the next stage ends it. */
  cutBy: Refusal | null = null;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    at: number,
    startedMs: number,
    expectsContinue: boolean,
  ) {
    this.request = request;
    this.response = response;
    this.id = id;
    this.at = at;
    this.startedMs = startedMs;
    this.expectsContinue = expectsContinue;
  }

  /** Its client's connection has closed: what waits or runs for it ends now, what does not, before the next stage. */
  leave(): void {
    if (this.isSettled || this.isGone) return;
    this.isGone = true;
    this.interruptible?.leave();
  }

  /** How an exchange ends whose client has gone. */
  get goneOutcome(): Outcome {
    return this.isStalled ? "client_stalled" : "client_gone";
  }
}
