/**
 * The ledger's vocabulary: one row per event type. `class` decides how a record is kept: strict classes are on disk
 * before the act (administration, security, model management); inference may run while its intent is being committed,
 * but no byte of its answer leaves before.
 */
export type EventClass =
  | "administration"
  | "security"
  | "management"
  | "inference"
  | "refusal"
  | "aggregate"
  | "ledger";

export const eventTypes = {
  "request.intent": "inference",
  "request.outcome": "inference",
  "request.refused": "refusal",
  "request.refused_coalesced": "refusal",
  "request.unauthenticated": "aggregate",
  "model.intent": "management",
  "model.outcome": "management",
  "request.ended": "security",
  "quota.reached": "administration",
  "server.started": "administration",
  "server.stopped": "administration",
  "gateway.initialized": "administration",
  "gateway.kek_rotated": "security",
  "gateway.pepper_rotated": "security",
  "gateway.moved": "security",
  "gateway.restored": "security",
  "gateway.restore_confirmed": "security",
  "admin.reset": "security",
  "admin.refused": "security",
  "console.link_made": "security",
  "console.opened": "security",
  "console.closed": "security",
  "admin_key.issued": "security",
  "admin_key.revoked": "security",
  "key.issued": "administration",
  "key.suspended": "security",
  "key.resumed": "security",
  "key.revoked": "security",
  "key.bound": "security",
  "key.factors_changed": "security",
  "key.signer_added": "security",
  "key.signer_removed": "security",
  "key.workload_added": "security",
  "key.workload_removed": "security",
  "key.path_secret_made": "security",
  "key.path_secret_removed": "security",
  "key.rotation_begun": "security",
  "key.rotated": "security",
  "key.rotation_ended": "security",
  "key.secret_reused": "security",
  "key.notice": "administration",
  "person.invited": "security",
  "person.enrolled": "security",
  "person.proved": "security",
  "person.local_removed": "security",
  "person.local_suspended": "security",
  "person.login_confirmed": "security",
  "person.logged_in": "security",
  "leak.reported": "security",
  "leak.unproven": "security",
  "leak.rejected": "security",
  "leak.in_traffic": "security",
  "notice.weekly": "administration",
  "incident.opened": "security",
  "incident.closed": "security",
  "token.issued": "security",
  "token.revoked": "security",
  "token_key.made": "security",
  "ticket.issued": "security",
  "ticket.opened": "security",
  "ticket.opened_twice": "security",
  "ticket.opened_late": "security",
  "ticket.unexpected_network": "security",
  "ticket.expired": "security",
  "ticket.closed": "administration",
  "record.damaged": "security",
  "usage.rebuild": "administration",
  "key.rehashed": "administration",
  "principal.created": "administration",
  "principal.changed": "administration",
  "principal.disabled": "security",
  "principal.enabled": "security",
  "person.activated": "security",
  "person.deactivated": "security",
  "person.groups_changed": "security",
  "person.sessions_ended": "security",
  "person.signalled": "security",
  "person.provisioned": "administration",
  "person.changed": "administration",
  "group.provisioned": "administration",
  "group.changed": "administration",
  "group.removed": "security",
  "assignment.created": "administration",
  "assignment.removed": "administration",
  "policy.applied": "administration",
  "finding.accepted": "security",
  "finding.reopened": "security",
  "rightsizing.shadowed": "security",
  "rightsizing.applied": "security",
  "rightsizing.stopped": "security",
  "rightsizing.compared": "administration",
  "rightsizing.taken_back": "security",
  "review.frozen": "administration",
  "review.started": "administration",
  "review.opened": "administration",
  "review.decided": "security",
  "review.delegated": "administration",
  "review.reminder": "administration",
  "review.ended": "security",
  "review.restored": "security",
  "review.closed": "security",
  "review.reported": "administration",
  "environment.changed": "administration",
  "role.changed": "administration",
  "upstream.drained": "administration",
  "upstream.resumed": "administration",
  "upstream.credential_set": "security",
  "upstream.credential_removed": "security",
  "upstream.tls_set": "security",
  "upstream.tls_removed": "security",
  "audit.read": "security",
  "sink.gap": "security",
  "witness.refused": "security",
  "anomaly.noted": "security",
  "anomaly.detected": "security",
  "anomaly.answered": "security",
  "anomaly.response_ended": "security",
  "ledger.truncated": "ledger",
  "ledger.erased": "ledger",
  "ledger.ended": "ledger",
  "ledger.gap": "ledger",
  "ledger.key_changed": "ledger",
  "ledger.log_removed": "ledger",
  "ledger.log_rebuilt": "ledger",
  "ledger.heartbeat": "ledger",
} as const satisfies Record<string, EventClass>;

export type EventType = keyof typeof eventTypes;

/**
 * What is recorded, before the writer gives it a sequence number. Values are scalars or short arrays of scalars;
 * never prompts, answers or secrets. Field names are snake_case.
 */
export interface LedgerEvent {
  readonly type: EventType;
  /** Epoch ms. */
  readonly at: number;
  /** The environment concerned, or `system`. */
  readonly environment: string;
  /** Who: `key:<id>`, `principal:<id>`, `os:<user>`, `gateway`. */
  readonly actor: string;
  readonly fields: Readonly<Record<string, string | number | boolean | null | readonly string[]>>;
}
