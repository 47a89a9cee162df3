/**
 * A ledger record as the body of an OCSF event: a pure function that is total, so that no record keeps others from being
 * exported. The ledger keeps its own compact form; what OCSF has no place for stands whole in `unmapped`.
 */
import { ocsfClasses, ocsfRowOf } from "./event-rows.ts";
import type { OcsfRow } from "./event-rows.ts";

export const OCSF_VERSION = "1.9.0-dev";

export interface OcsfSource {
  /** Where the audit log is kept, as it is called among others. */
  readonly node: string;
  /** Of the program. */
  readonly version: string;
}

/** What a body is made of. Values that are no event values are taken as absent. */
export interface OcsfRecord {
  readonly seq: number;
  /** Epoch ms. */
  readonly at: number;
  readonly environment: string;
  readonly type: string;
  readonly actor: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type OcsfBody = Readonly<Record<string, unknown>>;

const VENDOR = "Sallyport";
/** The ids OCSF counts ends by; findings have another list, of which 1 is `New`. */
const STATUS = { unknown: 0, success: 1, failure: 2 } as const;
const FINDING_NEW = 1;
const FINDING_RESOLVED = 4;
const CLOSE = 3;

/** Unique among all nodes and for ever: what receivers recognise a record by that comes twice. */
export function recordUid({ node }: Pick<OcsfSource, "node">, { environment, seq }: OcsfRecord): string {
  return `${node}/${environment}/${seq}`;
}

export function ocsfBody(record: OcsfRecord, source: OcsfSource): OcsfBody {
  const row = ocsfRowOf(record.type);
  const classUid = ocsfClasses[row.class];
  const model = text(record.fields["model"]);
  const generation = generationOf(record);
  const hasModel = model !== undefined && row.class === "api";
  return defined({
    activity_id: row.activity,
    activity_name: row.activityName,
    category_uid: Math.floor(classUid / 1_000),
    class_uid: classUid,
    type_uid: classUid * 100 + row.activity,
    time: record.at,
    severity_id: row.severity,
    ...endOf(row, record),
    status_code: text(record.fields["code"]),
    message: row.says,
    count: number(record.fields["count"]),
    metadata: metadataOf(record, source, hasModel),
    ...classAttributes(row, record, source),
    ...(hasModel ? { ai_model: { ai_provider: "ollama", name: model }, ...messageContext(record) } : {}),
    unmapped: defined({
      environment: record.environment,
      node: source.node,
      actor: record.actor,
      gen_ai: generation,
      fields: record.fields,
    }),
  });
}

function endOf({ class: of, end, activity }: OcsfRow, { fields }: OcsfRecord): OcsfBody {
  if (of === "finding") return { status_id: activity === CLOSE ? FINDING_RESOLVED : FINDING_NEW };
  if (end === "outcome") return { status_id: fields["outcome"] === "served" ? STATUS.success : STATUS.failure };
  return { status_id: end === "open" ? STATUS.unknown : STATUS[end] };
}

function metadataOf(record: OcsfRecord, source: OcsfSource, hasModel: boolean): OcsfBody {
  return defined({
    version: OCSF_VERSION,
    product: { name: "Sallyport", vendor_name: VENDOR, version: source.version },
    uid: recordUid(source, record),
    sequence: record.seq,
    event_code: record.type,
    log_name: "ledger",
    log_source: source.node,
    tenant_uid: record.environment,
    correlation_uid: text(record.fields["request"]),
    labels: [`environment:${record.environment}`, `node:${source.node}`],
    profiles: hasModel ? ["ai_operation"] : undefined,
  });
}

function classAttributes(row: OcsfRow, record: OcsfRecord, source: OcsfSource): OcsfBody {
  const actor = actorOf(record);
  const endpoint = endpointOf(record);
  switch (row.class) {
    case "base":
      return {};
    case "api":
      return { actor, api: apiOf(record), src_endpoint: endpoint ?? { name: "not recorded" } };
    case "finding":
      return {
        finding_info: {
          uid: recordUid(source, record),
          title: row.says,
          types: [record.type],
          created_time: record.at,
        },
        is_alert: row.severity >= 4,
      };
    case "account":
      return defined({ actor, src_endpoint: endpoint, user: subjectOf(record) });
    case "authentication":
      return defined({
        actor,
        src_endpoint: endpoint,
        user: subjectOf(record),
        service: { name: "sallyport", uid: record.environment },
      });
    case "session":
    case "access":
      return defined({ actor, src_endpoint: endpoint, user: subjectOf(record), privileges: privilegesOf(record) });
    case "entity":
      return defined({ actor, src_endpoint: endpoint, entity: entityOf(record) });
  }
}

/** `key:<id>`, `principal:<id>`, `os:<user>`, or a part of the gateway. */
function actorOf({ actor, fields }: OcsfRecord): OcsfBody {
  const [kind, id] = split(actor);
  if (kind === "key") return { user: defined({ uid: text(fields["principal"]) ?? id, credential_uid: id }) };
  if (kind === "principal") return { user: { uid: id } };
  if (kind === "os") return { user: { name: id, type_id: 2 } };
  return { app_name: actor === "" ? "unknown" : actor };
}

/** The principal that an event is about: the one it names, otherwise the actor. */
function subjectOf({ actor, fields }: OcsfRecord): OcsfBody {
  const uid = text(fields["principal"]) ?? text(fields["user"]) ?? text(fields["group"]) ?? text(fields["key"]);
  const name = text(fields["name"]);
  if (uid !== undefined || name !== undefined) return defined({ uid, name, credential_uid: text(fields["key"]) });
  const [kind, id] = split(actor);
  return kind === "key" || kind === "principal" ? { uid: id } : { name: actor === "" ? "unknown" : actor };
}

function apiOf({ type, fields }: OcsfRecord): OcsfBody {
  const uid = text(fields["request"]);
  const code = text(fields["code"]);
  const status = number(fields["upstream_status"]);
  const response = defined({ code: status, error: code });
  return defined({
    operation: text(fields["endpoint"]) ?? text(fields["route"]) ?? type,
    request: uid === undefined ? undefined : { uid },
    response: Object.keys(response).length === 0 ? undefined : response,
  });
}

/** An address, or the network of which some were counted together. */
function endpointOf({ fields }: OcsfRecord): OcsfBody | undefined {
  const address = text(fields["address"]);
  if (address !== undefined && isAddress(address)) return { ip: address };
  const name = address ?? text(fields["network"]);
  return name === undefined || name === "" ? undefined : { name };
}

const ENTITY_NAMES = ["key", "ticket", "token", "assignment", "group", "environment", "role", "principal"] as const;

function entityOf({ type, environment, fields }: OcsfRecord): OcsfBody {
  const noun = type.slice(0, type.indexOf(".")).replace("admin_key", "admin key").replace("token_key", "token key");
  for (const name of [noun, ...ENTITY_NAMES]) {
    const uid = text(fields[name]);
    if (uid !== undefined && uid !== "") return defined({ uid, name: text(fields["name"]), type: noun });
  }
  return {
    name: text(fields["name"]) ?? (noun === "gateway" || noun === "server" ? "gateway" : environment),
    type: noun,
  };
}

function privilegesOf({ fields }: OcsfRecord): readonly string[] {
  const named = [fields["roles"], fields["allow"], fields["permissions"]].flatMap((value) => texts(value));
  const scope = text(fields["scope"]);
  const all = [...named, ...(scope === undefined || scope === "" ? [] : scope.split(" "))];
  return all.length > 0 ? all : ["as the credential"];
}

/** Tokens where they are known. A context has to name a service: ours. */
function messageContext({ fields }: OcsfRecord): OcsfBody {
  const prompt = number(fields["input_tokens"]);
  const completion = number(fields["output_tokens"]);
  if (prompt === undefined && completion === undefined) return {};
  return {
    message_context: defined({
      service: { name: text(fields["upstream"]) ?? "ollama" },
      ai_role_id: 2,
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: (prompt ?? 0) + (completion ?? 0),
    }),
  };
}

/**
 * The model's side in OpenTelemetry's names for generative AI: attributes `gen_ai.request.model` and `gen_ai.usage.*`,
 * and the metrics `gen_ai.server.request.duration` and `gen_ai.server.time_to_first_token`, in seconds.
 */
function generationOf({ fields }: OcsfRecord): OcsfBody | undefined {
  const model = text(fields["model"]);
  const total = number(fields["total_ms"]);
  const first = number(fields["first_byte_ms"]);
  const usage = defined({
    input_tokens: number(fields["input_tokens"]),
    output_tokens: number(fields["output_tokens"]),
  });
  if (model === undefined && total === undefined) return undefined;
  return defined({
    request: model === undefined ? undefined : { model },
    usage: Object.keys(usage).length === 0 ? undefined : usage,
    server: defined({
      request: total === undefined ? undefined : { duration: total / 1_000 },
      time_to_first_token: first === undefined || first <= 0 ? undefined : first / 1_000,
    }),
  });
}

function split(actor: string): readonly [string, string] {
  const colon = actor.indexOf(":");
  return colon < 0 ? ["", ""] : [actor.slice(0, colon), actor.slice(colon + 1)];
}

function isAddress(value: string): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(value) || (/^[0-9A-Fa-f:.]{2,39}$/.test(value) && value.includes(":"));
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** Without the members that are undefined: JSON has none of them. */
function defined(members: Readonly<Record<string, unknown>>): OcsfBody {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
