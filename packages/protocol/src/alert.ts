/**
 * The kinds of anomalies of a key, and the possible responses: words of policy, of the audit log and of the command
 * line.
 */
export const alertKinds = [
  "decoy_used",
  "leaver",
  "credential_spread",
  "two_places",
  "scope_probing",
  "replay",
  "dormant_revival",
  "mint_after_revoke",
  "model_hunt",
  "stolen_key",
  "enumeration",
  "flood",
  "repetition",
  "off_hours",
  "ramp",
  "unlike_itself",
  "key_leaked",
] as const;
export type AlertKind = (typeof alertKinds)[number];

/** From the mildest to the gravest. */
export const alertActions = ["note", "notify", "tighten", "signature", "identity", "networks", "suspend"] as const;
export type AlertAction = (typeof alertActions)[number];

/** What is done about keys in requests and responses, from the mildest to the gravest. */
export const trafficLeakActions = ["notify", "redact", "stop", "quarantine"] as const;
export type TrafficLeakAction = (typeof trafficLeakActions)[number];
