/**
 * Findings about a valid policy and its keys. Pure: current policy, keys and known uses in, findings out. One walk over the
 * assignments and one over the keys, in slices.
 */
import { LongWork } from "../../kernel/long-work.ts";
import { AddressUses } from "./address-uses.ts";
import { grantFindings } from "./grant-findings.ts";
import { keyFindings } from "./key-findings.ts";
import { KeyScopes } from "./key-scopes.ts";
import { missingLimits } from "./missing-limits.ts";
import type { PolicyFacts, PostureFinding } from "./posture-finding.ts";
import { RoleUses } from "./role-uses.ts";
import { sharedServers } from "./shared-servers.ts";
import { unsatisfiable } from "./unsatisfiable.ts";

export async function policyFindings(facts: PolicyFacts, work = new LongWork()): Promise<PostureFinding[]> {
  const { snapshot } = facts;
  const roleUses = new RoleUses(facts.snapshot, facts.survey);
  await roleUses.read(work);
  const addresses = new AddressUses(facts.isShown);
  const scopes = new KeyScopes(facts);
  const ofKeys: PostureFinding[] = [];
  for await (const key of facts.keys) {
    const uses = facts.usesOf(key);
    roleUses.note(key);
    if (uses) addresses.note(key, uses);
    scopes.note(key);
    ofKeys.push(...keyFindings(key, uses, facts));
    const resting = work.rest();
    if (resting) await resting;
  }
  const all = [
    ...sharedServers([...snapshot.environments.values()], facts.isShown),
    ...(await grantFindings(snapshot, work)),
    ...ofKeys,
    ...scopes.findings(),
    ...addresses.findings(),
    ...missingLimits(snapshot, scopes),
    ...(await unsatisfiable(snapshot, scopes, work)),
    ...roleUses.findings(),
  ];
  return work.filter(all, ({ environment }) => facts.isShown(environment));
}
