/**
 * Turns audit records back into observations. An intent waits for its outcome, by request id, in a bounded table; an
 * evicted intent becomes an exchange without an end. The key's roles are remembered from its creation.
 */
import { observe } from "../observation.ts";
import type { Observation, ObservationKind } from "../observation.ts";

export interface ExportedRecord {
  readonly type: string;
  /** Epoch ms. */
  readonly at: number;
  readonly environment: string;
  readonly actor: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A line of `audit export --format jsonl`; undefined for anything else. */
export function parseExported(line: string): ExportedRecord | undefined {
  try {
    const said = JSON.parse(line) as Record<string, unknown>;
    const at = typeof said["at"] === "string" ? Date.parse(said["at"]) : said["at"];
    const { type, environment, actor, fields } = said;
    const isRecord =
      typeof type === "string" &&
      typeof at === "number" &&
      Number.isFinite(at) &&
      typeof environment === "string" &&
      typeof actor === "string";
    if (!isRecord || typeof fields !== "object" || fields === null) return undefined;
    return { type, at, environment, actor, fields: fields as Record<string, unknown> };
  } catch {
    return undefined;
  }
}

const WAITING_MAX = 50_000;
const KEYS_MAX = 100_000;

interface Known {
  readonly peer: string | null;
  readonly isDecoy: boolean;
}
const UNKNOWN: Known = { peer: null, isDecoy: false };

const TURNS: Readonly<Record<string, ObservationKind>> = {
  "key.issued": "issued",
  "admin_key.issued": "issued",
  "key.suspended": "suspended",
  "key.resumed": "resumed",
  "key.revoked": "revoked",
  "admin_key.revoked": "revoked",
  "principal.disabled": "left",
  "person.deactivated": "left",
};

export class FromRecords {
  readonly #waiting = new Map<string, ExportedRecord>();
  readonly #keys = new Map<string, Known>();
  readonly #isDecoy: (environment: string, key: string) => boolean;

  /** `isDecoy`: where more is known than the records say, because they began before. */
  constructor(isDecoy?: (environment: string, key: string) => boolean) {
    this.#isDecoy = isDecoy ?? ((environment, key) => this.#known(environment, key).isDecoy);
  }

  /** What this record makes known; mostly one or nothing. */
  take(record: ExportedRecord): readonly Observation[] {
    const { type, fields } = record;
    if (type === "request.intent" || type === "model.intent") return this.#wait(record);
    if (type === "request.outcome" || type === "model.outcome") {
      const request = text(fields["request"]);
      const intent = request === null ? undefined : this.#waiting.get(request);
      if (request !== null) this.#waiting.delete(request);
      return [this.#exchange(intent ?? record, record)];
    }
    if (type === "request.refused" || type === "request.refused_coalesced") return this.#refused(record);
    // No exchange of other keys: what is done with the token is one.
    if (type === "token.issued" && this.#isDecoy(record.environment, keyOf(record)))
      return [{ ...this.#exchange(record, record), isDecoy: true }];
    const turn = TURNS[type];
    return turn ? [this.#turn(turn, record)] : [];
  }

  /** What never ended, when there is no more to come. */
  rest(): readonly Observation[] {
    const left = [...this.#waiting.values()].map((intent) => this.#exchange(intent, intent));
    this.#waiting.clear();
    return left;
  }

  #wait(intent: ExportedRecord): readonly Observation[] {
    const request = text(intent.fields["request"]);
    if (request === null) return [];
    this.#waiting.set(request, intent);
    if (this.#waiting.size <= WAITING_MAX) return [];
    const [oldest, forgotten] = this.#waiting.entries().next().value!;
    this.#waiting.delete(oldest);
    return [this.#exchange(forgotten, forgotten)];
  }

  #exchange(intent: ExportedRecord, end: ExportedRecord): Observation {
    const asked = intent.fields;
    const said = end.fields;
    const key = keyOf(intent);
    return observe({
      kind: "exchange",
      at: end.at,
      environment: intent.environment,
      key,
      ...this.#known(intent.environment, key),
      owner: text(asked["principal"]),
      request: text(asked["request"]),
      endpoint: text(asked["endpoint"]),
      permissions: Array.isArray(asked["permissions"]) ? (asked["permissions"] as string[]) : [],
      model: text(asked["model"]),
      address: text(asked["address"]),
      client: text(asked["client"]),
      outcome: text(said["outcome"]),
      code: text(said["code"]),
      inputTokens: number(said["input_tokens"]),
      outputTokens: number(said["output_tokens"]),
      requestBytes: end === intent || intent.type.endsWith("intent") ? number(asked["bytes"]) : 0,
      answerBytes: end === intent ? 0 : number(said["bytes"]),
      firstByteMs: number(said["first_byte_ms"]),
      totalMs: number(said["total_ms"]),
    });
  }

  #refused(record: ExportedRecord): readonly Observation[] {
    if (!record.actor.startsWith("key:")) return [];
    const { fields, environment, at } = record;
    const key = keyOf(record);
    const said = observe({
      kind: "refused",
      at,
      environment,
      key,
      ...this.#known(environment, key),
      owner: text(fields["principal"]),
      request: text(fields["request"]),
      endpoint: text(fields["endpoint"]),
      model: text(fields["model"]),
      address: text(fields["address"]),
      client: text(fields["client"]),
      code: text(fields["code"]),
      count: Math.max(1, number(fields["count"])),
    });
    return [said];
  }

  #turn(kind: ObservationKind, { at, environment, actor, fields }: ExportedRecord): Observation {
    const key = text(fields["key"]) ?? "";
    const isLeft = kind === "left";
    const name = `${environment}/${key}`;
    if (kind === "issued") {
      const roles = Array.isArray(fields["roles"]) ? (fields["roles"] as string[]) : [];
      if (this.#keys.size >= KEYS_MAX) this.#keys.delete(this.#keys.keys().next().value!);
      this.#keys.set(name, { peer: peerOf(roles), isDecoy: fields["decoy"] === true });
    }
    return observe({
      kind,
      at,
      environment,
      key: isLeft ? "" : key,
      ...this.#known(environment, key),
      owner: text(fields[isLeft ? "principal" : "owner"]),
      actor,
      address: text(fields["address"]),
      client: text(fields["client"]),
    });
  }

  #known(environment: string, key: string): Known {
    return this.#keys.get(`${environment}/${key}`) ?? UNKNOWN;
  }
}

/** Keys with the same roles are peers. */
export function peerOf(roles: readonly string[]): string | null {
  return roles.length === 0 ? null : roles.toSorted().join("+");
}

function keyOf({ actor }: ExportedRecord): string {
  return actor.startsWith("key:") ? actor.slice(4) : "";
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
