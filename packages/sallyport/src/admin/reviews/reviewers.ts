/** Who reviews: found by what a caller writes, known by what the gateway has authenticated. */
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import { administers } from "../../access/attenuation.ts";
import { isDisabledIn } from "../../access/holding.ts";
import type { Principal } from "../../access/policy.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { expiryOf } from "../../keys/key.ts";
import type { KeyRecord } from "../../keys/key.ts";
import { dependence } from "../../reviews/independence.ts";
import type { ReviewerIdentity } from "../../reviews/independence.ts";
import type { PopulationEntry, Reviewer } from "../../reviews/review.ts";
import { everyKey } from "../each-key.ts";
import type { AdminPorts } from "../ports.ts";

type ReviewerPorts = Pick<AdminPorts, "keys" | "snapshot" | "clock" | "listKeys">;

const KEY = "key:";
const OS = "os:";

/** The people and services that have the actor's name. */
function namesakes({ snapshot }: Pick<AdminPorts, "snapshot">, name: string): Principal[] {
  return snapshot()
    .principals.called("name", name)
    .filter((one) => one.name === name);
}

function keyOfActor({ keys }: Pick<AdminPorts, "keys">, actor: string): KeyRecord | undefined {
  return actor.startsWith(KEY) ? keys.find(SYSTEM_REALM, actor.slice(KEY.length)) : undefined;
}

/** The name of an actor: that of the admin key, or of the operating-system user. */
export function actorName(ports: Pick<AdminPorts, "keys">, actor: string): string {
  return keyOfActor(ports, actor)?.name ?? (actor.startsWith(OS) ? actor.slice(OS.length) : actor);
}

export function identityOf(ports: Pick<AdminPorts, "keys" | "snapshot">, actor: string): ReviewerIdentity {
  const people = namesakes(ports, actorName(ports, actor));
  return { actor, principals: people.map(({ id }) => id), groups: people.flatMap(({ groups }) => groups) };
}

/** Why the actor may not decide on what the entry is about; undefined = they may. */
export function whyDependent(
  ports: Pick<AdminPorts, "keys" | "snapshot">,
  actor: string,
  entry: Pick<PopulationEntry, "subject" | "owner" | "issuer">,
): string | undefined {
  return dependence(identityOf(ports, actor), entry, (issuer) => identityOf(ports, issuer));
}

/** The reviewer is gone: the key, or the person who has its name, or the permission to decide. */
export function hasLeft(
  ports: Pick<AdminPorts, "keys" | "snapshot" | "clock">,
  environment: string,
  actor: string,
): boolean {
  const isStopped = namesakes(ports, actorName(ports, actor)).some((one) => isDisabledIn(one, environment));
  if (isStopped) return true;
  if (actor.startsWith(OS)) return false;
  const key = keyOfActor(ports, actor);
  return !key || !mayDecide(key, environment, ports.clock.now());
}

function mayDecide(key: KeyRecord, environment: string, now: number): boolean {
  const expiresAt = expiryOf(key);
  return (
    key.state === "active" &&
    (expiresAt === null || expiresAt > now) &&
    key.admin !== null &&
    key.admin.permissions.includes("reviews:decide") &&
    administers(key.admin, environment)
  );
}

/** By the id or the unique name of an admin key that may decide there, or `os:USER`. Throws `input_invalid`. */
export async function findReviewer(ports: ReviewerPorts, environment: string, text: string): Promise<Reviewer> {
  if (/^os:[^\s\p{C}]{1,64}$/u.test(text)) return { actor: text, name: text.slice(OS.length) };
  const now = ports.clock.now();
  const found: KeyRecord[] = [];
  for await (const key of everyKey(ports, { environment: SYSTEM_REALM }, new LongWork()))
    if ((key.id === text || key.name === text) && mayDecide(key, environment, now)) found.push(key);
  const [first] = found;
  if (!first)
    throw new Problem(
      "input_invalid",
      `no admin key named ${JSON.stringify(text)} may decide on reviews in ${environment}: create one with \`sallyport admin keys create --role access-reviewer\``,
    );
  if (found.length > 1)
    throw new Problem("input_invalid", `${found.length} admin keys are named ${JSON.stringify(text)}: use the id`);
  return { actor: KEY + first.id, name: first.name };
}
