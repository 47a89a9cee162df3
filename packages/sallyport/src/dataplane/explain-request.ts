/** `explain`: the way of an imagined request, by the same tables and the same decision as a real one, with every rule it met. */
import { isRefusal, parseModelName, problems, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { decide, doorsOf } from "../access/decide.ts";
import { refuseDoors } from "../access/door.ts";
import type { Door, Presented } from "../access/door.ts";
import { explained } from "../access/explain.ts";
import type { Explain, ExplainQuestion, Explanation } from "../access/explain.ts";
import type { CompiledGrant } from "../access/compiled-grant.ts";
import type { EffectiveRight, Snapshot } from "../access/snapshot.ts";
import type { KeyDirectory } from "../keys/directory.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { Judge } from "./judge.ts";
import { refuseEndpoint } from "./stages/limit.ts";
import { runsModel } from "./stages/locate-model.ts";
import { stagesOf } from "./ways.ts";
import type { Endpoint, Way } from "./wire/endpoint.ts";
import { matchEndpoint } from "./wire/match.ts";
import type { Understood } from "./wire/understood.ts";

export interface ExplainPorts {
  readonly snapshot: () => Snapshot;
  readonly keys: KeyDirectory;
  readonly judge: Pick<Judge, "explain">;
  /** A backup was restored and is not confirmed: every request is denied. */
  readonly isQuarantined: () => boolean;
}

export function makeExplain(ports: ExplainPorts): Explain {
  return function explain(question) {
    const key = findKeyAnywhere(ports.snapshot(), ports.keys, question.keyId);
    if (!key) return undefined;
    const because: string[] = [];
    const refusal = walk(ports, question, key, because);
    return refusal ? withRemedy(explained(refusal.code, because), refusal) : explained("allowed", because);
  };
}

export function findKeyAnywhere(policy: Snapshot, keys: KeyDirectory, id: string): KeyRecord | undefined {
  for (const name of policy.environments.keys()) {
    const key = keys.find(name, id);
    if (key) return key;
  }
  return undefined;
}

function walk(
  { judge, snapshot, isQuarantined }: ExplainPorts,
  question: ExplainQuestion,
  key: KeyRecord,
  because: string[],
): Refusal | undefined {
  const found = matchEndpoint(question.method.toUpperCase(), question.path);
  if (isRefusal(found)) return tell(because, found, `${question.method} ${question.path} is not in the endpoint table`);
  const { endpoint, parameter } = found;
  const stages = stagesOf(endpoint.way);
  if (stages.includes("confirmed") && isQuarantined())
    return tell(because, refuse("restore_unconfirmed"), "a backup was restored and awaits confirmation");
  if (!stages.includes("authenticate") && !stages.includes("client")) {
    because.push(`${endpoint.id} ${OF_NO_KEY[endpoint.way] ?? "is answered by the gateway itself, without a key"}`);
    return undefined;
  }
  const isAskedAgain = stages.includes("conditions") || stages.includes("authorize");
  const said = presentedIn(question);
  const presented = said && !isAskedAgain ? { ...EVERYTHING_PRESENTED, address: said.address } : said;
  // The question is about the key itself: for a token of it, there is `explainToken`.
  const refusal = judge.explain(key, endpoint.way, presented, because);
  if (refusal) return refusal;
  const right = snapshot().rightOf(key)!;
  because.push(`key ${key.id} of ${key.environment} is active`);
  if (key.boundary)
    because.push(`the key is right-sized: sallyport rightsize show ${key.id} prints what is left of its scope`);
  const shut = refuseEndpoint(endpoint, key, right);
  if (shut) return tell(because, shut, sentenceOfEndpoint(endpoint));
  if (presented === null) tellDoors(right.doors, because);
  if (!stages.includes("authorize")) {
    const closed = presented && isAskedAgain && refuseDoors(doorsOf(right, endpoint.anyOf), presented, because);
    if (closed) return closed;
    const how = stages.includes("client") ? "; a client proves itself in the OAuth way" : "";
    because.push(`${endpoint.id} is answered by the gateway itself${how}`);
    return undefined;
  }
  const understood = imagine(endpoint, parameter, question.model);
  if (isRefusal(understood))
    return tell(because, understood, `the request would be denied: ${problems[understood.code].title}`);
  // Without an address no allow-list can be checked: the access conditions were listed, and the rest is decided as if
  // they were met.
  const decision = decide(
    presented ? right : withoutNetworks(right),
    understood,
    presented ?? EVERYTHING_PRESENTED,
    because,
  );
  if (!decision.isAllowed) return decision.refusal;
  const { upstreams, name } = right.environment;
  if (
    endpoint.dialect === "ollama" &&
    upstreams.length > 0 &&
    upstreams.every(({ kind = "ollama" }) => kind !== "ollama")
  )
    return tell(because, refuse("dialect_not_served"), `no model server of ${name} speaks Ollama's dialect`);
  tellUnasked(understood, stages, because);
  return undefined;
}

/** A yes is about the key, and about the name of a model: it comes with what a real request may meet as well. */
function tellUnasked({ model, demands }: Understood, stages: readonly string[], because: string[]): void {
  because.push("explain looks at the key itself: a token of the key can allow less");
  if (!stages.includes("locateModel") || model === null || model.source === "cloud" || !demands.some(runsModel)) return;
  because.push(
    `explain does not ask the model server where ${model.spelling} runs: if it stands for a remote model, the request also needs cloud:infer for it`,
  );
}

/** What is opened without a key, where it is not simply answered. */
const OF_NO_KEY: Partial<Record<Way, string>> = {
  ticket: "is opened by a delivery link, without a key",
  device: "is answered by the gateway itself; a client proves itself in the OAuth way",
  login: "is answered by the gateway itself, for people who log in",
};

function sentenceOfEndpoint({ id, way, anyOf }: Endpoint): string {
  if (way === "person") return `${id} needs a user's session, and this key is not one`;
  return `${id} is opened by ${anyOf.join(" or ")}, and the key or its owner has none of them`;
}

const EVERYTHING_PRESENTED: Presented = { address: "", isSigned: true, isIdentified: true };

/** Null if the question does not say: then access conditions are listed and assumed to be met. */
function presentedIn({ address, isSigned, isIdentified }: ExplainQuestion): Presented | null {
  if (address === undefined && !isSigned && !isIdentified) return null;
  return { address: address ?? "", isSigned: isSigned === true, isIdentified: isIdentified === true };
}

function withoutNetworks(right: EffectiveRight): EffectiveRight {
  const opened = (grants: readonly CompiledGrant[]): CompiledGrant[] =>
    grants.map((grant) => ({ ...grant, door: null }));
  const environment = { ...right.environment, requireFor: [] };
  return { ...right, environment, doors: [], ceiling: opened(right.ceiling), live: opened(right.live) };
}

function tellDoors(doors: readonly Door[], because: string[]): void {
  for (const { origin, networks, require } of doors) {
    if (networks) because.push(`${origin} lets in ${networks.texts.join(", ")} (taken to be met: no address was said)`);
    for (const factor of require) because.push(`${origin} demands the factor ${factor} (taken to be met)`);
  }
}

/** The smallest ordinary request of that endpoint, naming the model. */
function imagine(endpoint: Endpoint, parameter: string | null, model: string | undefined): Understood | Refusal {
  if (endpoint.body === "multipart") {
    const name = parseModelName(model ?? "");
    if (!name) return refuse(model === undefined ? "model_missing" : "model_name_invalid");
    return { ...BARE, demands: [{ permission: endpoint.anyOf[0]!, model: name, field: "model" }], model: name };
  }
  const body = endpoint.sample ? Buffer.from(JSON.stringify(endpoint.sample(model ?? ""))) : Buffer.alloc(0);
  return endpoint.understand(body, parameter, "application/json");
}

const BARE = {
  offers: [], registries: [], asked: { images: 0 }, isStream: false, hidesUsage: false, droppedFields: 0, inputCharacters: 0,
  serialize: () => ({ bytes: new Uint8Array(0), contentType: "", adjusted: [] }),
}; // prettier-ignore

function tell(because: string[], refusal: Refusal, sentence: string): Refusal {
  because.push(sentence);
  return refusal;
}

/** Says what would turn the denial into a permission, as far as the denial shows it. */
function withRemedy(explanation: Explanation, refusal: Refusal): Explanation {
  const { code, detail } = refusal;
  const remedy = [...explanation.remedy];
  if (code === "permission_denied" && detail !== undefined)
    remedy.unshift(`grant ${detail} to the key's scope and to its owner`);
  if (code === "model_denied" && detail !== undefined) {
    remedy.unshift(`add a selector for it to the key and to its owner's assignment (${detail})`);
  }
  return { ...explanation, remedy };
}
