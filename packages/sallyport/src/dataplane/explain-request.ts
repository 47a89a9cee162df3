/** `explain`: the way of an imagined request, by the same table and the same decision as a real one, with every rule it met. */
import { parseModelName, problems, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { decide, isHeldAnywhere } from "../access/decide.ts";
import type { Door, Presented } from "../access/door.ts";
import { explained } from "../access/explain.ts";
import type { Explain, ExplainQuestion, Explanation } from "../access/explain.ts";
import type { CompiledGrant } from "../access/compiled-grant.ts";
import type { EffectiveRight, Snapshot } from "../access/snapshot.ts";
import type { Clock } from "../kernel/clock.ts";
import { stateRefusal } from "../keys/directory.ts";
import type { KeyDirectory } from "../keys/directory.ts";
import { currentSecret } from "../keys/key.ts";
import type { KeyRecord } from "../keys/key.ts";
import { refuseBareKey } from "./bare-key.ts";
import type { Endpoint } from "./wire/endpoint.ts";
import { matchEndpoint } from "./wire/match.ts";
import type { Understood } from "./wire/understood.ts";

export interface ExplainPorts {
  readonly clock: Clock;
  readonly snapshot: () => Snapshot;
  readonly keys: KeyDirectory;
}

export function makeExplain({ clock, snapshot, keys }: ExplainPorts): Explain {
  return function explain(question) {
    const policy = snapshot();
    const key = findKeyAnywhere(policy, keys, question.keyId);
    if (!key) return undefined;
    const because: string[] = [];
    const refusal = walk(question, key, policy, clock.now(), because);
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
  question: ExplainQuestion,
  key: KeyRecord,
  policy: Snapshot,
  now: number,
  because: string[],
): Refusal | undefined {
  const found = matchEndpoint(question.method.toUpperCase(), question.path);
  if ("code" in found) return tell(because, found, `${question.method} ${question.path} is not in the endpoint table`);
  const { endpoint, parameter } = found;
  if (endpoint.served === "ticket") {
    because.push(`${endpoint.id} is opened by a ticket, without a key`);
    return undefined;
  }
  if (endpoint.served === "oauth" || endpoint.served === "login") {
    because.push(`${endpoint.id} is answered by the gateway itself; a client proves itself in the OAuth way`);
    return undefined;
  }
  if (endpoint.served === "local") {
    because.push(`${endpoint.id} is answered by the gateway itself, without a key`);
    return undefined;
  }
  const stateRefused = stateRefusal(key, currentSecret(key), now);
  if (stateRefused)
    return tell(because, stateRefused, `key ${key.id} of ${key.environment}: ${problems[stateRefused.code].title}`);
  because.push(`key ${key.id} of ${key.environment} is active`);
  const right = policy.rightOf(key);
  if (!right)
    return tell(because, refuse("environment_not_here"), `environment ${key.environment} is not in the policy`);
  if (right.isOwnerDisabled) return tell(because, refuse("owner_disabled"), "the key's owner is disabled or gone");
  // The question is about the key itself: whoever asks about a token of it asks `explainToken`.
  const bare = refuseBareKey(right, BARE_KEY, endpoint.served);
  if (bare) return tell(because, bare, `environment ${key.environment} takes tokens only, and this is a key by itself`);
  if (endpoint.served === "person") {
    if (key.session === null)
      return tell(
        because,
        refuse("session_missing"),
        `${endpoint.id} is opened by a person's log-in, and this is none`,
      );
    because.push(`${endpoint.id} is answered by the gateway itself, about the person's own keys`);
    return undefined;
  }
  if (!endpoint.anyOf.some((permission) => isHeldAnywhere(right, permission))) {
    const wanted = endpoint.anyOf.join(" or ");
    return tell(
      because,
      refuse("permission_denied", wanted),
      `${endpoint.id} is opened by ${wanted}, and the key or its owner has none of them`,
    );
  }
  if (endpoint.served === "key") {
    because.push(`${endpoint.id} is answered by the gateway itself`);
    return undefined;
  }
  const understood = imagine(endpoint, parameter, question.model);
  if ("code" in understood)
    return tell(because, understood, `the request would be refused: ${problems[understood.code].title}`);
  const presented = presentedIn(question);
  if (presented === null) tellDoors(right.doors, because);
  // Without an address no list of networks can be asked: the doors were told, and the rest is decided as if they were open.
  const decision = decide(
    presented ? right : withoutNetworks(right),
    understood,
    presented ?? EVERYTHING_PRESENTED,
    because,
  );
  return decision.isAllowed ? undefined : decision.refusal;
}

const BARE_KEY = { token: null, isOllamaSigned: false };
const EVERYTHING_PRESENTED: Presented = { address: "", isSigned: true, isIdentified: true };

/** Null where the question says nothing of it: then the doors are told and taken to be open. */
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

/** Says what would turn the no into a yes, as far as it is known from the refusal. */
function withRemedy(explanation: Explanation, refusal: Refusal): Explanation {
  const { code, detail } = refusal;
  const remedy = [...explanation.remedy];
  if (code === "permission_denied" && detail !== undefined)
    remedy.unshift(`grant ${detail} to the key's ceiling and to its owner`);
  if (code === "model_denied" && detail !== undefined) {
    remedy.unshift(`add a selector for it to the key and to its owner's assignment (${detail})`);
  }
  return { ...explanation, remedy };
}
