/** Administration's ports in memory: changes are applied as the store would, and kept with their events. */
import { Buffer } from "node:buffer";
import {
  AuditReads,
  ConsoleSessions,
  compileSnapshot,
  Enrolment,
  explained,
  Feed,
  imagesOf,
  issueAdminKey,
  keyChangedInPart,
  KeyDirectory,
  KeyIndex,
  LiveEvents,
  KeyLifecycle,
  KeyRadius,
  LeakDesk,
  LocalLogins,
  lostRight,
  makeAdminApp,
  makeLeakHolder,
  newIncidentId,
  openIncidentOf,
  readPolicyText,
  Reconciler,
  USUAL_STATE,
  ReviewRecords,
  UseRecord,
} from "../program-under-test.ts";
import type {
  AdminApp,
  AdminPorts,
  AdminRight,
  AuditFilter,
  AuditRecord,
  Change,
  Committed,
  FindingRecord,
  Incident,
  KeyRecord,
  LedgerEvent,
  LocalLogin,
  PermissionUse,
  PolicyState,
  Rightsizing,
  ReviewLine,
  ReviewRecord,
  TicketRecord,
  UnconfirmedRestore,
  UpstreamState,
} from "../program-under-test.ts";
import { Problem } from "@sallyport/protocol";
import { applyOperation } from "./memory-operations.ts";
import { linesIn } from "./memory-reviews.ts";

export const START_MS = 1_760_000_000_000;
export const DAY_MS = 86_400_000;

export class MemoryGateway {
  nowMs = START_MS;
  readonly events: LedgerEvent[] = [];
  readonly faults: unknown[] = [];
  readonly signedOut: unknown[] = [];
  pepperVersion = 1;
  readonly upstreamStates = new Map<string, UpstreamState>();
  readonly findings = new Map<string, FindingRecord>();
  readonly rightsizings = new Map<string, Rightsizing>();
  readonly reviewTable = new Map<string, ReviewRecord>();
  /** By `review/line`. */
  readonly reviewLines = new Map<string, ReviewLine>();
  readonly localLogins = new Map<string, LocalLogin>();
  readonly tickets = new Map<string, TicketRecord>();
  readonly stored = new Map<string, KeyRecord>();
  readonly records: AuditRecord[] = [];
  readonly incidents = new Map<string, Incident>();
  isShelfFull = false;
  leakAction: "suspend" | "networks" | "notify" = "suspend";
  state: PolicyState = { epoch: 1, environments: [], roles: [], principals: [], assignments: [] };
  restored: UnconfirmedRestore | undefined;
  /** Changes that can still be committed. */
  changesLeft = Infinity;
  permissionUses: readonly PermissionUse[] = [];
  /** Since when uses are known; null = since now. */
  usesFromMs: number | null = null;
  damagedIncidents: readonly string[] = [];
  usageRows: readonly object[] = [];
  readonly running = new Map<string, NonNullable<ReturnType<AdminPorts["liveRequest"]>>>();
  usageFirstDay: number | null = null;
  sinks: AdminPorts["sinks"] extends () => infer S ? S : never = [];
  damaged: readonly { environment: string; says: string }[] = [];
  readonly reviews: ReviewRecords;
  readonly ports: AdminPorts & { readonly lifecycle: KeyLifecycle };
  readonly app: AdminApp;

  constructor() {
    const { stored } = this;
    const current = () => ({ version: this.pepperVersion, bytes: Buffer.alloc(32, this.pepperVersion) });
    const get = (_environment: string, version: number) => ({ version, bytes: Buffer.alloc(32, version) });
    const peppers = { current, get, create: current };
    const keys = new KeyDirectory(
      {
        key: (environment, id) => stored.get(`${environment}/${id}`),
        eachKeyId: () => undefined,
      },
      peppers,
    );
    const commit = async (wanted: Change): Promise<Committed> => {
      if (this.changesLeft-- <= 0) throw new Problem("store_unavailable", "the store is full");
      if (wanted.expectEpoch !== undefined && wanted.expectEpoch !== this.state.epoch) throw new Problem("conflict");
      for (const operation of wanted.operations) applyOperation(this, operation);
      this.events.push(...wanted.events);
      if (wanted.operations.length > 0) this.state = { ...this.state, epoch: this.state.epoch + 1 };
      const inPart = wanted.operations.map(keyChangedInPart).filter((key) => key !== undefined);
      const images = inPart.map(({ environment, id }) => {
        return { of: "key", environment, id, now: stored.get(`${environment}/${id}`) } as const;
      });
      return {
        epoch: this.state.epoch,
        seq: this.events.length,
        images: imagesOf(wanted.operations, images),
        events: wanted.events,
      };
    };
    const uses = new UseRecord({ keyUses: () => [], noteUses: () => {} });
    const clock = { now: () => this.nowMs, monotonic: () => this.nowMs };
    const listKeys: AdminPorts["listKeys"] = ({ environment, owner, after = "", limit = 100 }) =>
      [...stored.keys()]
        .sort((a, b) => (a < b ? -1 : 1))
        .filter((name) => name > after)
        .map((name) => stored.get(name)!)
        .filter(
          (key) =>
            (environment === undefined || key.environment === environment) &&
            (owner === undefined || key.owner === owner),
        )
        .slice(0, limit);
    const logins = new LocalLogins({
      snapshot: () => compileSnapshot(this.state),
      read: () => [...this.localLogins.values()],
    });
    const reviews = (this.reviews = new ReviewRecords(() => [...this.reviewTable.values()]));
    const keyIndex = new KeyIndex({
      keys,
      briefs: ({ after, limit }) => {
        const page = listKeys({ after, limit });
        const next = page.length < limit ? null : `${page.at(-1)!.environment}/${page.at(-1)!.id}`;
        return { keys: page.map((key) => ({ ...key, isSession: key.session !== null })), uses: [], next };
      },
      nameOf: (principal) => this.state.principals.find(({ id }) => id === principal)?.name,
      isHidden: (environment) => environment === "system",
    });
    const feed = new Feed({
      writer: { change: commit },
      views: [keys, logins, reviews, keyIndex],
      isNarrowing: () => false,
      onFault: (what, cause) => this.faults.push(new Error(what, { cause })),
      onStale: (view, cause) => this.faults.push(new Error(view, { cause })),
    });
    const lifecycle = new KeyLifecycle({
      isClockAgreed: () => true,
      clock,
      keys,
      peppers,
      uses,
      changes: feed,
      life: (name) => this.state.environments.find((one) => one.name === name),
      hasOwner: (id) => this.state.principals.some((one) => one.id === id && !one.isDisabled),
      listKeys,
      networkOf: (address) => address.slice(0, address.lastIndexOf(".")),
      fault: (fault) => this.faults.push(fault),
    });
    keys.onOldPepper((key, secret, hashed) => lifecycle.rehash(key, secret, hashed));
    keys.onReuse((key, secret) => lifecycle.reused(key, secret));
    const endSessions = async (which: unknown): Promise<string[]> => {
      this.signedOut.push(which);
      return [];
    };
    this.ports = {
      clock,
      snapshot: () => compileSnapshot(this.state),
      keys,
      uses,
      lifecycle,
      restrictions: () => [],
      reviews,
      reviewLines: linesIn(this.reviewLines),
      findings: { get: (id) => this.findings.get(id), all: () => [...this.findings.values()] },
      rightsizings: {
        get: (environment, key) => this.rightsizings.get(`${environment}/${key}`),
        all: () => [...this.rightsizings.values()],
      },
      plans: {
        begin: () => "begun",
        planOf: () => undefined,
        propose: async ({ environment, id, name }) => {
          const boundary = [{ permissions: ["infer:chat" as const], models: ["llama3.2"] }];
          const nothing = { none: null, unused: 0, removed: [], narrowed: [], replay: null };
          return { environment, key: id, name, before: boundary, after: boundary, ...nothing };
        },
      },
      sealTo: () => Promise.reject(new Problem("input_invalid", "no recipients here")),
      listKeys,
      storedKey: (environment, id) => stored.get(`${environment}/${id}`),
      keyIndex,
      peppers,
      changes: feed,
      reconciler: new Reconciler({
        clock,
        snapshot: () => compileSnapshot(this.state),
        keysOf: (owner) => listKeys({ owner, limit: 1e6 }),
        lost: lostRight,
        changes: feed,
        endSessions,
      }),
      localLogins: logins,
      enrolment: new Enrolment({
        clock,
        logins,
        sealer: { seal: () => "" },
        hasher: { hash: async () => undefined },
        changes: feed,
        endSessions,
      }),
      upstreamStates: {
        of: (environment, { id, url }) => this.upstreamStates.get(`${environment}/${id} ${url}`) ?? USUAL_STATE,
        put: (environment, { id, url }, state) => void this.upstreamStates.set(`${environment}/${id} ${url}`, state),
      },
      runningOn: () => 0,
      enrolmentPage: () => null,
      signals: null,
      quarantine: {
        restored: () => this.restored,
        end: () => {
          this.restored = undefined;
        },
      },
      incidents: {
        list: () => [...this.incidents.values()],
        damaged: () => this.damagedIncidents,
        put: (incident) => {
          if (this.isShelfFull) throw new Problem("store_unavailable", "the disk is full");
          this.incidents.set(incident.id, incident);
        },
      },
      permissionUses: async () => ({ from: this.usesFromMs ?? this.nowMs, to: this.nowMs, uses: this.permissionUses }),
      damage: () => this.damaged,
      usage: {
        report: async () => ({ rows: this.usageRows as never[], next: null, firstDay: this.usageFirstDay }),
        requestsOf: async (named) => named.map(() => [0]),
        rebuild: () => {},
        rebuildProgress: () => null,
      },
      liveRequest: (id) => this.running.get(id),
      readPolicyText: async (text) => readPolicyText(text),
      explain: () => explained("model_denied", ["the key's scope does not grant it"]),
      explainToken: () => ({ seconds: 900, because: ["the environment's usual time is 15m"] }),
      audit: {
        logs: async () => [],
        search: async (filter: AuditFilter) =>
          this.records.filter(
            ({ environment, seq }) =>
              (filter.environment ?? environment) === environment &&
              (filter.environments?.includes(environment) ?? true) &&
              (filter.after === undefined || seq > filter.after) &&
              (filter.before === undefined || seq < filter.before),
          ),
        read: async ({ after = 0 }: AuditFilter) => {
          const records = this.records.filter(({ seq }) => seq > after);
          return { records, through: records.at(-1)?.seq ?? after, first: this.records[0]?.seq ?? 0 };
        },
        verify: async () => ({ ok: true, records: this.records.length, unvouched: [], cannotShow: [] }),
        prove: async (seq: number) => (this.records.some((record) => record.seq === seq) ? `proof of ${seq}` : null),
        uses: async ({ until }) => ({ from: until, uses: [] }),
        radius: async (question) => new KeyRadius(question).result({ knownFrom: null, records: 0 }),
      },
      console: new ConsoleSessions(clock),
      events: new LiveEvents(clock),
      reads: new AuditReads({ clock, changes: feed }),
      sinks: () => this.sinks,
      answerAlert: async ({ alert, actor, verdict }) => {
        const environment = alert.split("/")[0]!;
        await feed.inTurn(() =>
          feed.change({
            operations: [],
            events: [{ type: "anomaly.answered", at: 0, environment, actor, fields: { verdict } }],
          }),
        );
        return true;
      },
      leaks: new LeakDesk({
        clock,
        changes: feed,
        key: (environment, id) => keys.find(environment, id),
        answerTo: () => ({ action: this.leakAction, networks: [] }),
        openIncident: (key) => openIncidentOf([...this.incidents.values()], key),
        newIncident: ({ environment, id, name, owner, createdAt }, openedBy, reason, openedAt) => ({
          id: newIncidentId(),
          environment,
          key: id,
          keyName: name,
          owner,
          since: createdAt,
          reason,
          openedAt,
          openedBy,
          closed: null,
        }),
        putIncident: (incident) => void this.incidents.set(incident.id, incident),
        wasFalseAlarm: async () => false,
        restrictions: () => [],
      }),
      leakHolder: makeLeakHolder({ keys, peppers, clock } as never),
      leakSenders: null,
      newestRecord: () => this.records.at(-1)?.seq ?? 0,
      activity: () => ({ jainIndex: 1, models: [], servers: [], users: [], requests: [], budgets: [] }),
      status: () => ({
        version: "0",
        startedAt: START_MS,
        epoch: this.state.epoch,
        keys: stored.size,
        environments: this.state.environments.map(({ name }) => name),
        isStoreWritable: true,
        damagedRecords: this.damaged.length,
        running: 0,
        queued: 0,
        dataListen: "",
        adminListen: "",
      }),
      metrics: (isShown) =>
        ["dev", "prod"].map((name) => (isShown(name) ? `requests{environment="${name}"} 1\n` : "")).join(""),
    };
    this.app = makeAdminApp(this.ports, (fault) => this.faults.push(fault));
  }

  /** Puts an admin key into the store and answers its text. */
  adminKey(right: AdminRight, expiresAt: number | null = this.nowMs + DAY_MS): string {
    const order = { name: "test", right, createdAt: this.nowMs, createdBy: "test", expiresAt };
    const { record, text } = issueAdminKey(order, this.ports.peppers);
    applyOperation(this, { op: "key.insert", key: record });
    this.ports.keys.apply([{ of: "key", environment: record.environment, id: record.id, now: record }]);
    return text.reveal();
  }
}

/** Two environments, a role in each, a person, a group's assignment in prod, and a key of each environment. */
export const POLICY = `
environments:
  dev: { upstreams: [{ url: "http://127.0.0.1:11434" }] }
  prod: { upstreams: [{ url: "http://10.0.0.1:11434" }], keys: { maxAge: 30d } }
roles:
  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }
assign:
  - { group: ops, role: bot, in: [prod] }
`;
