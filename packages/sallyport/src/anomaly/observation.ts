/**
 * What the detectors see of one event of a key: a finished exchange, a denial, or a change of the key's state. It is
 * built the same way from a live exchange and from audit records, so that live detection can be replayed.
 */
export type ObservationKind =
  | "exchange" // forwarded and settled
  | "refused" // a decision no, after the key was known
  | "issued"
  | "suspended"
  | "resumed"
  | "revoked"
  | "left"; // the owner was disabled: `key` is empty, `owner` is who

export interface Observation {
  readonly kind: ObservationKind;
  /** Epoch ms of the end: when it could be known. */
  readonly at: number;
  readonly environment: string;
  readonly key: string;
  /** Principal id. */
  readonly owner: string | null;
  /** What the key is like: its roles in order, joined by `+`; keys of one peer group learn from one another. */
  readonly peer: string | null;
  /** A canary key: no one has a legitimate reason to use it. */
  readonly isDecoy: boolean;
  /** Of a turn of life: who did it (`key:<id>`, `principal:<id>`, `os:<user>`, `gateway`). */
  readonly actor: string | null;
  /** Request id; the audit log has the details. */
  readonly request: string | null;
  readonly endpoint: string | null;
  readonly permissions: readonly string[];
  readonly model: string | null;
  readonly address: string | null;
  /** First product of the user agent. */
  readonly client: string | null;
  readonly outcome: string | null;
  readonly code: string | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Bytes sent upstream and to the caller. */
  readonly requestBytes: number;
  readonly answerBytes: number;
  readonly firstByteMs: number;
  readonly totalMs: number;
  /** More than 1 if denials were counted together. */
  readonly count: number;
}

type Known = Pick<Observation, "kind" | "at" | "environment" | "key">;

/** All of it, in one order of fields: every observation has one hidden class. */
export function observe(said: Known & Partial<Observation>): Observation {
  return {
    kind: said.kind,
    at: said.at,
    environment: said.environment,
    key: said.key,
    owner: said.owner ?? null,
    peer: said.peer ?? null,
    isDecoy: said.isDecoy ?? false,
    actor: said.actor ?? null,
    request: said.request ?? null,
    endpoint: said.endpoint ?? null,
    permissions: said.permissions ?? [],
    model: said.model ?? null,
    address: said.address ?? null,
    client: said.client ?? null,
    outcome: said.outcome ?? null,
    code: said.code ?? null,
    inputTokens: said.inputTokens ?? 0,
    outputTokens: said.outputTokens ?? 0,
    requestBytes: said.requestBytes ?? 0,
    answerBytes: said.answerBytes ?? 0,
    firstByteMs: said.firstByteMs ?? 0,
    totalMs: said.totalMs ?? 0,
    count: said.count ?? 1,
  };
}

/** One line of JSON without what is as usual. */
export function observationLine(observation: Observation): string {
  const said: Record<string, unknown> = {};
  for (const name in observation) {
    const value: unknown = observation[name as keyof Observation];
    if (value === null || value === 0 || value === false) continue;
    if (name === "count" ? value === 1 : name === "permissions" && observation.permissions.length === 0) continue;
    said[name] = value;
  }
  return JSON.stringify(said);
}

/** Undefined if the record is not an observation. */
export function parseObservation(line: string): Observation | undefined {
  try {
    const said = JSON.parse(line) as Known & Partial<Observation>;
    const { kind, at, environment, key } = said as Partial<Known>;
    const isKnown =
      typeof kind === "string" && Number.isFinite(at) && typeof environment === "string" && typeof key === "string";
    return isKnown ? observe(said) : undefined;
  } catch {
    return undefined;
  }
}
