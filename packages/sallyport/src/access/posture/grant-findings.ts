/** Findings about what assignments and roles grant. Everything that one subject holds in an environment is judged together. */
import { DEFAULT_HOST, needsModel } from "@sallyport/protocol";
import type { DataPermission } from "@sallyport/protocol";
import type { LongWork } from "../../kernel/long-work.ts";
import { compileRight } from "../compiled-grant.ts";
import type { CompiledGrant } from "../compiled-grant.ts";
import type { Assignment, Environment } from "../policy.ts";
import type { Snapshot } from "../snapshot.ts";
import { findingOf, isProduction } from "./posture-finding.ts";
import type { PostureFinding } from "./posture-finding.ts";

const INFERS: readonly DataPermission[] = ["infer:chat", "infer:generate", "infer:embed", "infer:audio"];
const PULLS: readonly DataPermission[] = ["models:pull", "models:push"];
const NAMES_MODELS: readonly DataPermission[] = ["models:create", "models:copy", "models:pull"];

/** What a subject holds in an environment. */
interface Holding {
  readonly environment: Environment;
  readonly subject: Assignment["subject"];
  readonly grants: CompiledGrant[];
  readonly ids: string[];
}

const APPLY = "sallyport apply -f policy.yaml";

export async function grantFindings(snapshot: Snapshot, work: LongWork): Promise<PostureFinding[]> {
  const { assignments, environments, roles } = snapshot;
  // Many assignments give the same right: it is compiled once.
  const compiled = new Map<string, readonly CompiledGrant[]>();
  const holdings = new Map<string, Holding>();
  await work.each(assignments, ({ id, environment: name, subject, right }) => {
    const environment = environments.get(name);
    if (!environment) return;
    const text = JSON.stringify(right);
    const grants = compiled.get(text) ?? compileRight(right, roles);
    compiled.set(text, grants);
    const key = JSON.stringify([name, subject]);
    const held = holdings.get(key) ?? { environment, subject, grants: [], ids: [] };
    holdings.set(key, held);
    held.grants.push(...grants);
    held.ids.push(id);
  });
  const ofSubjects = await work.flatMap(holdings.values(), (holding) => holdingFindings(holding, snapshot));
  const pullers = new Map<string, Holding[]>();
  await work.each(holdings.values(), (holding) => {
    if (!hasAny(holding.grants, [...PULLS, "models:create", "models:pull-insecure"])) return;
    const { name } = holding.environment;
    pullers.set(name, [...(pullers.get(name) ?? []).slice(0, NAMED_MAX), holding]);
  });
  return [
    ...ofSubjects,
    ...[...environments.values()].flatMap((environment) =>
      foreignRegistries(environment, pullers.get(environment.name) ?? [], snapshot),
    ),
    ...(await work.flatMap(roles.values(), (role) => readerRoles(role.name, snapshot))),
  ];
}

/** Subjects that are named as evidence. */
const NAMED_MAX = 10;

function holdingFindings(holding: Holding, { principals }: Snapshot): PostureFinding[] {
  const { environment, subject, grants, ids } = holding;
  const { name, cloud } = environment;
  const who = subjectText(subject, principals);
  const owner = "principal" in subject ? (principals.get(subject.principal)?.name ?? null) : null;
  const common = { environment: name, subject: subjectName(subject), owner };
  const wide = isProduction(name) ? grants.filter(isWide) : [];
  const all: PostureFinding[] = [];
  if (wide.length > 0) {
    const origins = [...new Set(wide.map(({ origin }) => origin))];
    all.push(
      findingOf("wildcard_in_prod", {
        ...common,
        state: "wrong",
        says: `${who} may use any model of ${name}, by ${origins.join(" and ")}: including models that are pulled later`,
        evidence: [`by the assignment ${ids.join(", ")}`],
        remedy: `name the models instead of a wildcard, in the role or in the assignment: ${APPLY}`,
      }),
    );
  }
  if (cloud === "allow" && hasAny(grants, ["cloud:websearch"]))
    all.push(
      findingOf("web_tools_granted", {
        ...common,
        says: `${who} may search and fetch the web from ${name}, and so may the prompts they send`,
        evidence: [`cloud:websearch by ${originsOf(grants, ["cloud:websearch"])}`],
        remedy: `remove cloud:websearch from the role, or set cloud: deny: ${APPLY}`,
      }),
    );
  if (hasAny(grants, ["models:create"]) && hasAny(grants, ["blobs:write"]))
    all.push(
      findingOf("create_with_adapters_granted", {
        ...common,
        ...(isProduction(name) ? { severity: "high" as const } : {}),
        says: `${who} may upload adapters and weights to ${name} and create models from them`,
        evidence: [
          `models:create by ${originsOf(grants, ["models:create"])}`,
          `blobs:write by ${originsOf(grants, ["blobs:write"])}`,
        ],
        remedy: `remove blobs:write from the role, or give it to a service that builds models: ${APPLY}`,
      }),
    );
  if (cloud === "allow" && hasAny(grants, ["cloud:infer"]) && hasAny(grants, NAMES_MODELS))
    all.push(
      findingOf("cloud_by_alias", {
        ...common,
        says: `${who} may send prompts to cloud models from ${name} and give models a local name`,
        evidence: [
          `cloud:infer by ${originsOf(grants, ["cloud:infer"])}`,
          `${originsOf(grants, NAMES_MODELS)} names models`,
        ],
        remedy: `separate the two: remove cloud:infer, or ${NAMES_MODELS.join(", ")}: ${APPLY}`,
      }),
    );
  return all;
}

function foreignRegistries(
  environment: Environment,
  pullers: readonly Holding[],
  { principals }: Snapshot,
): PostureFinding[] {
  const { name, registries } = environment;
  const foreign = registries.filter((host) => host !== DEFAULT_HOST);
  const insecure = pullers.filter(({ grants }) => hasAny(grants, ["models:pull-insecure"]));
  if (pullers.length === 0 || (foreign.length === 0 && insecure.length === 0)) return [];
  const how = foreign.length > 0 ? `from ${foreign.join(", ")}` : "without verified TLS";
  return [
    findingOf("pull_from_foreign_registry", {
      ...(isProduction(name) ? { severity: "high" as const } : {}),
      environment: name,
      subject: `environment:${name}`,
      says: `models may be pulled into ${name} ${how}`,
      evidence: pullers.map(({ subject }) => `${subjectText(subject, principals)} may pull, push or create models`),
      remedy: `allow ${DEFAULT_HOST} alone (registries), and remove models:pull-insecure: ${APPLY}`,
    }),
  ];
}

function readerRoles(name: string, { roles, environments, assignments }: Snapshot): PostureFinding[] {
  const role = roles.get(name);
  const infers = role?.grants.flatMap(({ permissions }) => permissions).filter((one) => INFERS.includes(one)) ?? [];
  if (!isReaderName(name) || infers.length === 0) return [];
  const places = new Set(assignments.naming(name).map(({ environment }) => environment));
  return [...places]
    .filter((environment) => environments.has(environment))
    .map((environment) =>
      findingOf("reader_infers", {
        environment,
        subject: `role:${name}`,
        says: `the role ${name} is named for reading and grants ${infers.join(", ")} in ${environment}`,
        evidence: [`role ${name} grants ${infers.join(", ")}`],
        remedy: `remove ${infers.join(", ")} from the role, or rename it: ${APPLY}`,
      }),
    );
}

/** A name from which everybody concludes that it only reads. */
export function isReaderName(name: string): boolean {
  return /(?:^|[^a-z])(?:analytics|audit|auditor|dashboard|metrics|monitor|monitoring|read|reader|readonly|report|reporting|viewer)(?:$|[^a-z])/.test(
    name.toLowerCase(),
  );
}

/** It gives something that is done with a model, and every list that narrows it has a selector for whole namespaces. */
export function isWide({ permissions, selectorLists }: CompiledGrant): boolean {
  if (![...permissions].some(needsModel)) return false;
  return selectorLists.length > 0 && selectorLists.every((list) => list.some(({ model }) => model === null));
}

function hasAny(grants: readonly CompiledGrant[], permissions: readonly DataPermission[]): boolean {
  return grants.some((grant) => permissions.some((permission) => grant.permissions.has(permission)));
}

function originsOf(grants: readonly CompiledGrant[], permissions: readonly DataPermission[]): string {
  const found = grants.filter((grant) => hasAny([grant], permissions)).map(({ origin }) => origin);
  return [...new Set(found)].join(" and ");
}

export function subjectName(subject: Assignment["subject"]): string {
  return "group" in subject ? `group:${subject.group}` : `principal:${subject.principal}`;
}

function subjectText(subject: Assignment["subject"], principals: Snapshot["principals"]): string {
  if ("group" in subject) return `the group ${subject.group}`;
  return principals.get(subject.principal)?.name ?? subject.principal;
}
