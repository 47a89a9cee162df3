/** What administration needs from the rest of the program; `compose.ts` joins it. Administration never sees the store or the data plane. */
import type { Explain, ExplainToken } from "../access/explain.ts";
import type { PolicyTextRead } from "../access/policy-text.ts";
import type { UseSurvey } from "../access/permission-uses.ts";
import type { FindingRecords } from "../access/posture/finding-records.ts";
import type { Rightsizings } from "../access/rightsizing/rightsizings.ts";
import type { Snapshot } from "../access/snapshot.ts";
import type { UpstreamStates } from "../access/upstream-state.ts";
import type { AlertAnswer } from "../anomaly/sentry.ts";
import type { Changes } from "../changes/change.ts";
import type { Reconciler } from "../identity/reconciler.ts";
import type { Enrolment } from "../identity/local/enrolment.ts";
import type { LocalLogins } from "../identity/local/local-logins.ts";
import type { Signals } from "../identity/signals.ts";
import type { IncidentShelf } from "../incident/incident.ts";
import type { Clock } from "../kernel/clock.ts";
import type { EnvironmentActivity, LiveRequestHandle } from "../limits/environment-activity.ts";
import type { KeyDirectory } from "../keys/directory.ts";
import type { Secret } from "../kernel/secret.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { KeyLifecycle } from "../keys/lifecycle.ts";
import type { KeyIndex } from "../keys/search/key-index.ts";
import type { Restriction } from "../keys/restriction.ts";
import type { FoundLeakPorts } from "../leaks/found-leak.ts";
import type { KnownSenders } from "../leaks/known-senders.ts";
import type { LeakDesk } from "../leaks/leak-desk.ts";
import type { UseRecord } from "../keys/use-record.ts";
import type { PepperRing } from "../keys/pepper.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import type { PlanDesk } from "../rightsizing/plan-desk.ts";
import type { ReviewRecords } from "../reviews/review-records.ts";
import type { LineCount, LineFilter, ReviewLine } from "../reviews/review.ts";
import type { UsageReports } from "../usage/usage-report.ts";
import type { AuditReads } from "./audit-reads.ts";
import type { LiveEvents } from "./events/live-events.ts";
import type { ConsoleSessions } from "./console/console-sessions.ts";

export interface AdminPorts {
  readonly clock: Clock;
  /** The present policy, compiled. Swapped after each change; ask again, do not keep. */
  readonly snapshot: () => Snapshot;
  readonly keys: KeyDirectory;
  readonly uses: UseRecord;
  readonly lifecycle: Pick<KeyLifecycle, "rotate" | "finish" | "resume" | "sweep">;
  /** Encrypts a key for an age public key, armored. Throws `input_invalid` for an invalid one. */
  readonly sealTo: (recipient: string, text: Secret) => Promise<Secret>;
  readonly listKeys: (filter: {
    environment?: string;
    owner?: string;
    after?: string;
    limit?: number;
  }) => readonly KeyRecord[];
  /** As it is stored. Throws `record_damaged`. */
  readonly storedKey: (environment: string, id: string) => KeyRecord | undefined;
  /** Which keys a list shows that is searched, filtered or sorted. */
  readonly keyIndex: Pick<KeyIndex, "search" | "prepareSearch">;
  readonly peppers: PepperRing;
  /**
   * Commits a change, then replaces the snapshot, forgets changed keys and aborts requests that are no longer allowed,
   * before it resolves. Changes run one after another, so what was read inside `work` is still true when it commits.
   */
  readonly changes: Changes;
  /** Everything that is said about people, administrators' words too, becomes a change by it. */
  readonly reconciler: Pick<Reconciler, "hear" | "judge" | "judgeMany" | "judgeAssignment" | "write" | "endSessions">;
  /** People who log in here without a provider. */
  readonly localLogins: LocalLogins;
  readonly enrolment: Pick<Enrolment, "invite">;
  /** Where they choose a password; null while nothing listens and no address is configured. */
  readonly enrolmentPage: () => string | null;
  /** What identity providers send; null where none is configured. */
  readonly signals: Pick<Signals, "streamOf" | "logOut"> | null;
  /** The identity provider whose agent the settings name this actor; absent or undefined = none. */
  readonly agentOf?: (actor: string) => string | undefined;
  /** Where upstreams may be, as the settings say; null or absent = not set. */
  readonly upstreamHosts?: readonly string[] | null;
  readonly upstreamStates: UpstreamStates;
  /** Requests that a model server works on; null where no server runs. */
  readonly runningOn: (environment: string, upstream: string) => number | null;
  readonly quarantine: Quarantine;
  readonly incidents: IncidentShelf;
  readonly explain: Explain;
  readonly explainToken: ExplainToken;
  readonly audit: AuditLog;
  /** People at the console. */
  readonly console: ConsoleSessions;
  /** What happens, for those who look. */
  readonly events: LiveEvents;
  /** Where reading of the audit log is recorded. */
  readonly reads: AuditReads;
  /** Number of the newest record on disk. */
  readonly newestRecord: () => number;
  /** What is kept of findings. */
  readonly findings: Pick<FindingRecords, "get" | "all">;
  /** Plans of right-sizing, by the caller who began each. */
  readonly plans: Pick<PlanDesk, "begin" | "planOf" | "propose">;
  readonly rightsizings: Pick<Rightsizings, "get" | "all">;
  readonly reviews: Pick<ReviewRecords, "get" | "all" | "withholding">;
  /** Their lines, as they are on disk; a damaged one is `record_damaged`. */
  readonly reviewLines: {
    one(review: string, line: number): ReviewLine | undefined;
    some(filter: LineFilter): readonly ReviewLine[];
    counts(review: string): readonly LineCount[];
  };
  /** What is done about keys for a time. */
  readonly restrictions: () => readonly Restriction[];
  /** Acts on reports that keys leaked. */
  readonly leaks: Pick<LeakDesk, "take">;
  /** Whose secret a text is. */
  readonly leakHolder: FoundLeakPorts;
  /** Who may report leaks without an admin key; null where the settings name no one. */
  readonly leakSenders: KnownSenders | null;
  /** A person's word on an alert; false where it is not known (any more). */
  readonly answerAlert: (answer: AlertAnswer) => Promise<boolean>;
  /** Which permissions keys used, as far back as that is known. */
  readonly permissionUses: () => Promise<UseSurvey>;
  readonly usage: UsageReports;
  /** Rows of the store that were met damaged since the start. */
  readonly damage: () => readonly { readonly environment: string; readonly says: string }[];
  readonly status: () => GatewayStatus;
  /** One request that runs or waits; undefined for an unknown id. */
  readonly liveRequest: (id: string) => LiveRequestHandle | undefined;
  /** What runs and waits in an environment now; empty beside no gateway. */
  readonly activity: (environment: string) => EnvironmentActivity;
  /** Reads a policy text away from the thread of requests. Throws `rate_limited` while too many of the actor's wait. */
  readonly readPolicyText: (text: string, actor: string) => Promise<PolicyTextRead>;
  /** The sinks of audit records, and how far each has been delivered. */
  readonly sinks: () => readonly SinkStatus[];
  /** The metrics' text, without the series of environments that are not visible. */
  readonly metrics: (isShown: (environment: string) => boolean) => string;
}

/** A restored backup, until someone confirms that what was revoked since is revoked again. */
export interface UnconfirmedRestore {
  /** Epoch ms. */
  readonly backupAt: number;
  readonly restoredAt: number;
  /** The last record of the backup. */
  readonly seq: number;
  readonly hash: string;
}

export interface Quarantine {
  /** Undefined where nothing waits to be confirmed. */
  restored(): UnconfirmedRestore | undefined;
  /** Ends it, on disk when it returns. */
  end(): void;
}

export interface SinkStatus {
  readonly name: string;
  readonly type: string;
  readonly lagRecords: number;
  readonly lagSeconds: number;
  readonly sent: number;
  readonly deadLettered: number;
  readonly failures: number;
  /** Why the last attempt failed; null while it works. */
  readonly trouble: string | null;
}

export interface GatewayStatus {
  readonly version: string;
  readonly startedAt: number;
  readonly epoch: number;
  readonly keys: number;
  readonly environments: readonly string[];
  readonly isStoreWritable: boolean;
  readonly damagedRecords: number;
  readonly running: number;
  readonly queued: number;
  readonly dataListen: string;
  readonly adminListen: string;
}
