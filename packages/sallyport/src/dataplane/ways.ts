/**
 * The ways of requests: which stages a request passes, in order. A row of the endpoint table names its way, `match` chooses
 * it, and each way's list is made once at start. A stage stands on a way because it has something to do there.
 */
import type { Stage } from "./pipeline.ts";
import { ways } from "./wire/endpoint.ts";
import type { Way } from "./wire/endpoint.ts";

/** Each made once at start from its ports. */
export interface Stages {
  /** Raw request-target and headers: form, lengths, host name, client address. */
  readonly admit: Stage;
  /** Closed endpoint table: method and path, query parameters; the way. */
  readonly match: Stage;
  /** Answers by a constant. */
  readonly constant: Stage;
  /** No restored backup waits to be confirmed. */
  readonly confirmed: Stage;
  /** Returns what an environment says about its tokens. */
  readonly metadata: Stage;
  /** How often a network asks for log-in pages, and whether anybody can log in. */
  readonly loginGate: Stage;
  /** Exactly one credential, the key behind it, and its standing. */
  readonly authenticate: Stage;
  /** Request rate, and the right to this endpoint at all. */
  readonly limit: Stage;
  /** A slot of the key. */
  readonly slot: Stage;
  /** Bounded read of the body. */
  readonly read: Stage;
  /** Strict parse: what a model's request means. */
  readonly understand: Stage;
  /** What the body says, of requests that the gateway answers itself. */
  readonly json: Stage;
  readonly form: Stage;
  /** Serves the holder of a delivery link. */
  readonly ticket: Stage;
  /** Answers a program that asks for a person's log-in. */
  readonly device: Stage;
  /** Answers people who log in. */
  readonly login: Stage;
  /** The key that asks as an OAuth client, and its standing. */
  readonly client: Stage;
  /** What is presented in addition to the credential and needs the body: the request's signature. */
  readonly factors: Stage;
  /** Standing once more, and the access conditions of the permission that opens the endpoint. */
  readonly conditions: Stage;
  /** Answers a key about tokens. */
  readonly oauth: Stage;
  /** Answers a key with its next secret. */
  readonly rotateItself: Stage;
  /** Serves users their own keys. */
  readonly personsKeys: Stage;
  /** Returns what the caller used. */
  readonly ownUsage: Stage;
  /** Whether the model server runs the model itself or elsewhere. */
  readonly locateModel: Stage;
  /** Standing once more, `decide()`, clamps, the bytes that will be sent. */
  readonly authorize: Stage;
  /** Keys in the bytes that will be sent. */
  readonly keysInRequest: Stage;
  /** A slot of the upstream's model; decides again when its turn comes. */
  readonly queue: Stage;
  /** Records the intent. */
  readonly record: Stage;
  /** One upstream of this environment; the answer, metered. */
  readonly forward: Stage;
}

const X = true;
const o = false;

/** The columns are the ways in the order in which `wire/endpoint.ts` lists them. */
const table: readonly (readonly [keyof Stages, ...boolean[]])[] = [
  //              constant metadata ticket device login oauth revoke rotation person usage model
  ["admit",        X,       X,       X,     X,     X,    X,    X,     X,       X,     X,     X],
  ["match",        X,       X,       X,     X,     X,    X,    X,     X,       X,     X,     X],
  ["constant",     X,       o,       o,     o,     o,    o,    o,     o,       o,     o,     o],
  ["confirmed",    o,       X,       X,     X,     X,    X,    X,     X,       X,     X,     X],
  ["metadata",     o,       X,       o,     o,     o,    o,    o,     o,       o,     o,     o],
  ["loginGate",    o,       o,       o,     o,     X,    o,    o,     o,       o,     o,     o],
  ["authenticate", o,       o,       o,     o,     o,    o,    o,     X,       X,     X,     X],
  ["limit",        o,       o,       o,     o,     o,    o,    o,     X,       X,     X,     X],
  ["slot",         o,       o,       o,     o,     o,    o,    o,     o,       o,     o,     X],
  ["read",         o,       o,       X,     X,     X,    X,    X,     X,       X,     X,     X],
  ["understand",   o,       o,       o,     o,     o,    o,    o,     o,       o,     o,     X],
  ["json",         o,       o,       X,     o,     o,    o,    o,     X,       X,     o,     o],
  ["form",         o,       o,       o,     X,     o,    X,    X,     o,       o,     o,     o],
  ["ticket",       o,       o,       X,     o,     o,    o,    o,     o,       o,     o,     o],
  ["device",       o,       o,       o,     X,     o,    o,    o,     o,       o,     o,     o],
  ["login",        o,       o,       o,     o,     X,    o,    o,     o,       o,     o,     o],
  ["client",       o,       o,       o,     o,     o,    X,    X,     o,       o,     o,     o],
  ["limit",        o,       o,       o,     o,     o,    X,    X,     o,       o,     o,     o],
  ["factors",      o,       o,       o,     o,     o,    X,    X,     X,       X,     X,     X],
  ["conditions",   o,       o,       o,     o,     o,    X,    o,     X,       X,     X,     o],
  ["oauth",        o,       o,       o,     o,     o,    X,    X,     o,       o,     o,     o],
  ["rotateItself", o,       o,       o,     o,     o,    o,    o,     X,       o,     o,     o],
  ["personsKeys",  o,       o,       o,     o,     o,    o,    o,     o,       X,     o,     o],
  ["ownUsage",     o,       o,       o,     o,     o,    o,    o,     o,       o,     X,     o],
  ["locateModel",  o,       o,       o,     o,     o,    o,    o,     o,       o,     o,     X],
  ["authorize",    o,       o,       o,     o,     o,    o,    o,     o,       o,     o,     X],
  ["keysInRequest",o,       o,       o,     o,     o,    o,    o,     o,       o,     o,     X],
  ["queue",        o,       o,       o,     o,     o,    o,    o,     o,       o,     o,     X],
  ["record",       o,       o,       o,     o,     o,    o,    o,     o,       o,     o,     X],
  ["forward",      o,       o,       o,     o,     o,    o,    o,     o,       o,     o,     X],
]; // prettier-ignore

/** The names of a way's stages, in order. */
export function stagesOf(way: Way): readonly (keyof Stages)[] {
  const column = ways.indexOf(way) + 1;
  return table.filter((row) => row[column] === true).map(([name]) => name);
}

export function makeWays(stages: Stages): Readonly<Record<Way, readonly Stage[]>> {
  const made = {} as Record<Way, readonly Stage[]>;
  for (const way of ways) made[way] = stagesOf(way).map((name) => stages[name]);
  return made;
}
