/**
 * Every finding about policy, keys and the gateway: one row each. A code never changes its meaning; scripts and accepted
 * findings refer to it.
 */
export const severities = ["critical", "high", "medium", "low", "info"] as const;
export type Severity = (typeof severities)[number];

export interface FindingRow {
  /** The usual one; a finding can be graver or milder where its row says so. */
  readonly severity: Severity;
  /** The condition that is found. */
  readonly says: string;
  /** Why it matters. */
  readonly why: string;
}

export const findingCodes = {
  wildcard_in_prod: {
    severity: "high",
    says: "a wildcard model selector is granted in an environment whose name begins with prod or live, by an assignment or by a key",
    why: "its holders may use models that are pulled later, too",
  },
  chat_key_manages_models: {
    severity: "high",
    says: "a key that may chat may also pull, create, copy, push or delete models",
    why: "a key in a chat client is the most likely one to leak",
  },
  reader_infers: {
    severity: "medium",
    says: "a role or a key that is named for reading (analytics, reader, viewer, monitor…), or a key with the role analytics, may run inference",
    why: "its name promises less than it grants",
  },
  role_wider_than_use: {
    severity: "low",
    says: "a role grants more than all its holders have used in at least 30 days",
    why: "unused permissions help only a person who steals a key",
  },
  role_use_unknown: {
    severity: "info",
    says: "the history of use is shorter than 30 days",
    why: "until then it is not known which roles grant too much",
  },
  environments_share_server: {
    severity: "medium",
    says: "two environments use the same model server; high where only one of them is production",
    why: "models that one pulls, deletes or loads are the other's, too",
  },
  key_used_from_two_environments: {
    severity: "medium",
    says: "keys of two environments were used from the same address; high where only one of them is production",
    why: "one machine with both keys connects what the environments separate",
  },
  web_tools_granted: {
    severity: "medium",
    says: "web search or fetch is granted in an environment that allows the cloud",
    why: "a prompt can then make a request to the internet",
  },
  create_with_adapters_granted: {
    severity: "medium",
    says: "blobs may be uploaded and models created from them; high in production",
    why: "an uploaded adapter or weight file is read by the model server's process",
  },
  pull_from_foreign_registry: {
    severity: "medium",
    says: "models may be pulled from a registry other than registry.ollama.ai, or without verified TLS; high in production",
    why: "a model from an unknown registry is input to the model server's process",
  },
  cloud_by_alias: {
    severity: "medium",
    says: "a holder may send prompts to cloud models and may also create, copy or pull models",
    why: "a cloud model under a local name hides from its users that prompts leave the machine",
  },
  key_without_owner: {
    severity: "medium",
    says: "the owner of an active key is missing or disabled",
    why: "no one answers for the key",
  },
  key_near_expiry: {
    severity: "medium",
    says: "an active key expires within 7 days",
    why: "its programs are rejected from then on",
  },
  key_on_old_secret: {
    severity: "medium",
    says: "a key's old secret was used after the new one was created",
    why: "some program still has the old secret and is rejected when it ends",
  },
  key_never_used: {
    severity: "low",
    says: "an active key was not used in the 7 days since it was created or reactivated",
    why: "a key that no one uses can only be stolen",
  },
  key_unused: {
    severity: "medium",
    says: "an active key was not used for 30 days",
    why: "a key that no one uses can only be stolen",
  },
  admin_key_unused: {
    severity: "high",
    says: "an active admin key was not used for 30 days; the recovery key is exempt",
    why: "an admin key can hand out other keys",
  },
  policy_unsatisfiable: {
    severity: "low",
    says: "a grant that no one can use: an access condition that no request can meet (medium), a role without a holder, an assignment to a group without members or to a disabled principal",
    why: "policy that does nothing hides what policy does",
  },
  no_limits_in_prod: {
    severity: "high",
    says: "a production environment has no rate, budget or concurrency limit at all",
    why: "one key can use up every model server",
  },
  record_damaged: {
    severity: "critical",
    says: "a row of the store cannot be read",
    why: "what it describes is not served",
  },
  sink_behind: {
    severity: "high",
    says: "a sink of audit records is behind, or rejected records for good",
    why: "the receiver does not see what happens",
  },
  incident_open: {
    severity: "high",
    says: "an incident is not closed",
    why: "someone has to decide what becomes of the key",
  },
  incident_damaged: {
    severity: "high",
    says: "the file of an incident cannot be read",
    why: "its evidence may be lost",
  },
  local_login_suspended: {
    severity: "medium",
    says: "a local log-in awaits confirmation by an administrator",
    why: "the user cannot log in until then",
  },
  identifier_not_counted: {
    severity: "low",
    says: "a provisioned id does not count in an environment",
    why: "the user cannot log in there",
  },
  identity_ambiguous: {
    severity: "high",
    says: "a subject of an identity provider could be several users",
    why: "what takes something away reaches all of them",
  },
} as const satisfies Record<string, FindingRow>;

export type FindingCode = keyof typeof findingCodes;

/** Own names only, so `constructor` is not one. */
export function isFindingCode(text: string): text is FindingCode {
  return Object.hasOwn(findingCodes, text);
}

/** From this severity on, `sallyport posture` exits with 1. */
export function isGrave(severity: Severity): boolean {
  return severity === "critical" || severity === "high";
}
