/**
 * What each type of ledger event is in OCSF: class, activity, how grave, how it ended, in words. One row a type; a type
 * without a row becomes a Base Event (class 0), and a test fails. Uids are those of OCSF 1.9.
 */

/** OCSF classes by uid. */
export const ocsfClasses = {
  base: 0,
  finding: 2004,
  account: 3001,
  authentication: 3002,
  session: 3003,
  entity: 3004,
  access: 3005,
  api: 6003,
} as const;

export type OcsfClass = keyof typeof ocsfClasses;

/** `outcome`: as the record's `outcome` says. `open`: not known yet. */
export type OcsfEnd = "success" | "failure" | "outcome" | "open";

export interface OcsfRow {
  readonly class: OcsfClass;
  /** `activity_id` of the class, or 99 with a name of ours. */
  readonly activity: number;
  readonly activityName?: string;
  /** `severity_id`: 1 informational, 2 low, 3 medium, 4 high, 5 critical. */
  readonly severity: 1 | 2 | 3 | 4 | 5;
  readonly end: OcsfEnd;
  readonly says: string;
}

const OTHER = 99;

function row(of: OcsfClass, activity: number, says: string, more: Partial<OcsfRow> = {}): OcsfRow {
  return { class: of, activity, severity: 1, end: "success", says, ...more };
}

const finding = (says: string, severity: OcsfRow["severity"]): OcsfRow => row("finding", 1, says, { severity });
const infer = { activityName: "Infer" } as const;
const low = { severity: 2 } as const;
const medium = { severity: 3 } as const;

export const ocsfRows = {
  "request.intent": row("api", OTHER, "a request was forwarded to a model server", { ...infer, end: "open" }),
  "request.outcome": row("api", OTHER, "a request to a model server ended", { ...infer, end: "outcome" }),
  "request.refused": row("api", OTHER, "a request was denied", { ...infer, ...low, end: "failure" }),
  "request.refused_coalesced": row("api", OTHER, "requests were denied", { ...infer, ...low, end: "failure" }),
  "request.unauthenticated": row("authentication", 1, "callers showed no valid credential", { ...low, end: "failure" }),
  "model.intent": row("api", 3, "a change of a server's models was begun", { end: "open" }),
  "model.outcome": row("api", 3, "a change of a server's models ended", { end: "outcome" }),
  "quota.reached": row("entity", 3, "a budget is used up"),
  "server.started": row("entity", 10, "the gateway started"),
  "server.stopped": row("entity", 11, "the gateway stopped"),
  "gateway.initialized": row("entity", 1, "the gateway was initialised"),
  "gateway.kek_rotated": row("entity", 3, "the key-encryption key was changed", low),
  "gateway.pepper_rotated": row("entity", 3, "an environment's pepper was changed", low),
  "gateway.moved": row("entity", 3, "the gateway was moved to a database of changes, or back", medium),
  "gateway.restored": row("entity", 3, "the gateway was restored from a backup", medium),
  "gateway.restore_confirmed": row("entity", 10, "a restored gateway was confirmed", medium),
  "admin.reset": row("account", 4, "the recovery admin key was replaced", { severity: 4 }),
  "admin.refused": row("api", OTHER, "a call of the admin API was denied", {
    activityName: "Administer",
    ...medium,
    end: "failure",
  }),
  "console.link_made": row("entity", 1, "a link to the console was made"),
  "console.opened": row("authentication", 1, "a session of the console began"),
  "console.closed": row("authentication", 2, "a session of the console was ended"),
  "admin_key.issued": row("entity", 1, "an admin key was issued", medium),
  "admin_key.revoked": row("entity", 4, "an admin key was revoked", medium),
  "key.issued": row("entity", 1, "a key was issued"),
  "request.ended": row("entity", 9, "a running request was ended by an administrator", low),
  "key.suspended": row("entity", 12, "a key was suspended", low),
  "key.resumed": row("entity", 13, "a key was resumed", low),
  "key.revoked": row("entity", 4, "a key was revoked", low),
  "key.bound": row("entity", 3, "a key was bound to its first network"),
  "key.factors_changed": row("entity", 3, "the factors of a key were changed", low),
  "key.signer_added": row("entity", 6, "a signing key was added to a key", low),
  "key.signer_removed": row("entity", 7, "a signing key was removed from a key", low),
  "key.workload_added": row("entity", 6, "a workload was added to a key", low),
  "key.workload_removed": row("entity", 7, "a workload was removed from a key", low),
  "key.path_secret_made": row("entity", 6, "a URL token was created for a key", low),
  "key.path_secret_removed": row("entity", 7, "the URL token of a key was removed", low),
  "key.rotation_begun": row("entity", 3, "the rotation of a key was begun"),
  "key.rotated": row("entity", 3, "the new secret of a key was used first"),
  "key.rotation_ended": row("entity", 3, "the rotation of a key ended"),
  "key.secret_reused": finding("a replaced secret of a key was used again", 4),
  "key.notice": row("entity", OTHER, "a notice about a key", { activityName: "Notice" }),
  "key.rehashed": row("entity", 3, "a key was hashed under the present pepper"),
  "person.invited": row("account", 1, "a person was invited"),
  "person.enrolled": row("account", 10, "a person chose a password and an authenticator", low),
  "person.proved": row("authentication", 6, "a user proved their identity"),
  "person.local_removed": row("account", 6, "a person's log-in was removed", low),
  "person.local_suspended": row("account", 6, "a person's local log-in was suspended", low),
  "person.login_confirmed": row("account", 3, "a person's log-in was confirmed"),
  "person.logged_in": row("authentication", 1, "a person logged in"),
  "token.issued": row("session", 1, "a token was issued"),
  "token.revoked": row("authentication", 2, "a token was revoked"),
  "token_key.made": row("entity", 1, "a signing key of tokens was made"),
  "ticket.issued": row("entity", 1, "a delivery link was created"),
  "ticket.opened": row("entity", 10, "a delivery link was opened"),
  "ticket.opened_twice": finding("a delivery link was opened a second time", 4),
  "ticket.opened_late": finding("a delivery link was opened after it expired", 3),
  "ticket.unexpected_network": finding("a delivery link was opened from an unexpected network", 4),
  "ticket.expired": row("entity", 11, "a delivery link expired"),
  "ticket.closed": row("entity", 11, "a delivery link was closed"),
  "record.damaged": finding("a record of the store is damaged", 4),
  "principal.created": row("account", 1, "a principal was created"),
  "principal.changed": row("account", OTHER, "a principal was changed", { activityName: "Update" }),
  "principal.disabled": row("account", 5, "a principal was disabled", low),
  "principal.enabled": row("account", 2, "a principal was enabled", low),
  "person.activated": row("account", 2, "a directory activated a person"),
  "person.deactivated": row("account", 5, "a directory deactivated a person", low),
  "person.groups_changed": row("account", OTHER, "the groups of a person changed", { activityName: "Groups" }),
  "person.sessions_ended": row("authentication", 2, "the sessions of a person were ended"),
  "person.signalled": row("account", OTHER, "an identity provider said something of a person", {
    activityName: "Signal",
    ...low,
  }),
  "person.provisioned": row("account", 1, "a directory provisioned a person"),
  "person.changed": row("account", OTHER, "a directory changed a person", { activityName: "Update" }),
  "group.provisioned": row("entity", 1, "a directory provisioned a group"),
  "group.changed": row("entity", 3, "a directory changed a group"),
  "group.removed": row("entity", 4, "a directory removed a group", low),
  "assignment.created": row("access", 3, "a role was assigned"),
  "assignment.removed": row("access", 4, "an assignment was removed"),
  "usage.rebuild": row("entity", 3, "the usage counters are counted again from the audit log"),
  "finding.accepted": row("finding", 3, "a finding was accepted until a date"),
  "finding.reopened": row("finding", 3, "the acceptance of a finding was ended"),
  "review.frozen": row("entity", 1, "lines of an access review were frozen"),
  "review.started": row("entity", 1, "an access review was started"),
  "review.opened": row("entity", 2, "the evidence of a line of an access review was shown"),
  "review.decided": row("entity", 3, "a line of an access review was decided", low),
  "review.delegated": row("entity", 3, "lines of an access review were delegated"),
  "review.reminder": row("entity", OTHER, "an access review ends soon", { activityName: "Notice" }),
  "review.ended": row("entity", 3, "a line of an access review ended without a decision", low),
  "review.restored": row("entity", 3, "what an access review suspended was restored", low),
  "review.closed": row("entity", 11, "an access review was closed"),
  "review.reported": row("entity", 2, "the report of an access review was written"),
  "policy.applied": row("entity", 3, "a policy was applied"),
  "rightsizing.shadowed": row("entity", 3, "a boundary is compared with the requests of a key"),
  "rightsizing.applied": row("entity", 3, "the scope of a key was narrowed to what it uses", low),
  "rightsizing.stopped": row("entity", 3, "the right-sizing of a key was stopped", low),
  "rightsizing.compared": row("entity", 3, "requests of a key were compared with a boundary"),
  "rightsizing.taken_back": finding("a boundary denied a request that the key's scope allows, and was taken back", 3),
  "environment.changed": row("entity", 3, "an environment was changed"),
  "role.changed": row("entity", 3, "a role was changed"),
  "upstream.drained": row("entity", 3, "a model server was drained"),
  "upstream.resumed": row("entity", 3, "a model server was put back into service"),
  "upstream.credential_set": row("entity", 3, "the credential of a model server was set", low),
  "upstream.credential_removed": row("entity", 3, "the credential of a model server was removed"),
  "upstream.tls_set": row("entity", 3, "the certificates for a model server were set", low),
  "upstream.tls_removed": row("entity", 3, "the certificates for a model server were removed", low),
  "anomaly.noted": finding("a key deviated slightly from its baseline", 2),
  "anomaly.detected": finding("a key deviates from its baseline", 4),
  "anomaly.answered": row("finding", 2, "an alert was classified"),
  "anomaly.response_ended": row("finding", 3, "what was done about an alert for a time has ended"),
  "leak.reported": finding("a key was reported as leaked, with its secret or by an administrator", 4),
  "leak.unproven": finding("a leak report named no working secret of a key", 2),
  "leak.rejected": row("authentication", 1, "a leak report was rejected: not signed by a sender, or sent again", {
    ...medium,
    end: "failure",
  }),
  "leak.in_traffic": finding("a request or a response contained a key", 4),
  "notice.weekly": row("entity", OTHER, "the weekly notice of what needs a person", { activityName: "Notice" }),
  "incident.opened": finding("an incident was opened: its key is stopped", 4),
  "incident.closed": row("finding", 3, "an incident was closed"),
  "audit.read": row("api", 2, "the audit log was read"),
  "witness.refused": finding("a witness says that the log does not go on from the one it knows", 5),
  "sink.gap": finding("records were removed before a sink had them", 4),
  "ledger.truncated": row("entity", 4, "the oldest part of the audit log was removed"),
  "ledger.erased": row("entity", 3, "personal fields whose time is over were erased"),
  "ledger.ended": row("entity", 4, "expired records of requests were removed"),
  "ledger.gap": row("entity", OTHER, "requests were served without records", { ...medium, activityName: "Gap" }),
  "ledger.key_changed": row("entity", 3, "the key that signs the audit log was changed", medium),
  "ledger.log_removed": row("entity", 4, "a log that no environment can have was taken out of the audit log"),
  "ledger.log_rebuilt": row("entity", 3, "the state of a log was made again from its records", medium),
  "ledger.heartbeat": row("entity", OTHER, "the node says that it is there", { activityName: "Heartbeat" }),
} as const satisfies Record<string, OcsfRow>;

const UNKNOWN: OcsfRow = row("base", 0, "an event of the gateway", { end: "open" });

/** The row of a type, whatever it is: what a newer gateway wrote is exported, too. */
export function ocsfRowOf(type: string): OcsfRow {
  const known: Readonly<Record<string, OcsfRow>> = ocsfRows;
  if (Object.hasOwn(known, type)) return known[type]!;
  if (!/^(?:anomaly|incident)\./.test(type)) return UNKNOWN;
  const activity = type.endsWith(".closed") ? 3 : type.endsWith(".opened") || type.endsWith(".found") ? 1 : 2;
  return row("finding", activity, type.startsWith("anomaly.") ? "a key deviates from its baseline" : "an incident", {
    severity: 4,
  });
}
