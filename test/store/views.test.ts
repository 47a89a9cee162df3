/** Every view of memory, kept up by the feed over thousands of random changes, is what one read anew from the database is. */
import { generateKeyPairSync } from "node:crypto";
import { expect, it } from "vitest";
import {
  defaultEnvironment,
  factorsOf,
  Feed,
  KeyDirectory,
  LocalLogins,
  newPrincipal,
  OllamaSignerIndex,
  FindingRecords,
  Restrictions,
  Rightsizings,
  ReviewRecords,
  RevokedTokens,
  SnapshotView,
  TokenKeys,
} from "../program-under-test.ts";
import type {
  Assignment,
  ChangeWriter,
  KeyRecord,
  Operation,
  Principal,
  Store,
  Rightsizing,
} from "../program-under-test.ts";
import { storedReview } from "../review-rows.ts";
import { event, key, open, START_MS } from "./store-fixture.ts";

const ENVIRONMENTS = ["dev", "staging", "prod", "lab"];
const ROLES = ["bot", "bots", "b", "chatbot"];
const GROUPS = ["team", "team 2", "t", ""];
const WORDS = ["ada", "Ada", "bo", "b", ""];
const publicKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "der" });

/** Small pools of names, so that records are made, changed and taken away again and again. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(n: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * n);
  }

  of<T>(...list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  some<T>(list: readonly T[]): T[] {
    return list.filter(() => this.below(2) === 0);
  }

  keyId = (): string => `k${this.below(12)}`.padEnd(12, "0");
  person = (): string => `p_${this.below(9)}`;

  principal(): Principal {
    const external = {
      identities: this.some(["x", "y"]).map((issuer) => ({ issuer, subject: this.of(...WORDS) })),
      scim: this.of(null, {
        userName: this.of(...WORDS),
        externalId: this.of(null, ...WORDS),
        displayName: null,
        emails: this.some(WORDS).map((value) => ({ value, type: null, isPrimary: false })),
        isDeleted: this.below(3) === 0,
      }),
      groups: [],
      heard: { events: [], times: [] },
      changedAt: 1,
    };
    const made = newPrincipal({
      kind: this.of("person", "service"),
      name: this.of(...WORDS),
      createdAt: 1,
      groups: this.some(GROUPS),
      external: this.of(null, external),
    });
    return { ...made, id: this.person(), isDisabled: this.below(4) === 0 };
  }

  assignment(): Assignment {
    return {
      id: `a_${this.below(9)}`,
      subject: this.of({ principal: this.person() }, { group: this.of(...GROUPS) }),
      environment: this.of(...ENVIRONMENTS),
      right: { roles: this.some(ROLES), allow: ["infer:chat"], models: ["*"] },
      source: this.of("policy", "admin"),
    };
  }

  rightsizing(environment: string): Rightsizing {
    const boundary = [{ permissions: ["infer:chat" as const], models: this.of(null, ["llama3.2"]) }];
    const state = this.of<Rightsizing["state"]>("shadow", "applied", "ended");
    const counted = { compared: this.below(9), differences: 0, examples: [] };
    const end = state === "ended" ? { why: "stopped" as const, by: "t", at: 1 } : null;
    return { environment, key: this.keyId(), state, boundary, by: "t", at: 1, until: 2, ...counted, end };
  }

  factors(held: KeyRecord) {
    const signers = this.some(["f1", "f2", "f3"]).map((id) => ({
      id: `${held.id} ${id}`,
      use: this.of<"request" | "ollama">("request", "ollama"),
      algorithm: "ed25519" as const,
      material: "m",
      createdAt: 1,
      createdBy: "t",
    }));
    return { ...factorsOf(held), signers, networks: this.of(null, ["10.0.0.0/8"]) };
  }

  operation(): Operation {
    const environment = this.of(...ENVIRONMENTS);
    const id = this.keyId();
    const place = { environment, id };
    const held = key(id, { environment });
    const { secrets, rotation, rotatedAt, frozenAt, lifetimeMs, told, idleSince } = held;
    const life = { secrets, rotation, rotatedAt, frozenAt, lifetimeMs, told, idleSince };
    const principal = this.person();
    const restriction = {
      id: `r${this.below(6)}`,
      environment,
      key: id,
      kind: "stolen_key" as const,
      action: this.of<"tighten" | "networks" | "suspend">("tighten", "networks", "suspend"),
      networks: ["10.0.0.0/8"],
      at: 1,
      until: 9,
    };
    const finding = {
      id: `f${this.below(6)}`,
      environment,
      code: "key_unused" as const,
      subject: `key:${id}`,
      firstSeenAt: this.below(9),
      fixedAt: this.of(null, 5),
      acceptance: this.of(null, { until: 9, reason: "r", by: "x", at: 1 }),
    };
    const review = storedReview({
      id: `rev${this.below(4)}`,
      state: this.of<"open" | "closed">("open", "closed"),
      withheld: this.some(["a", "b"]),
    });
    const login = { principal, invitation: null, sealed: this.of(null, "s"), otpStep: 1, invitedAt: 1, enrolledAt: 1 };
    return this.of<() => Operation>(
      () => ({ op: "key.insert", key: { ...held, isDecoy: this.below(5) === 0 } }),
      () => ({ op: "key.insert", key: held }),
      () => ({ op: "key.state", ...place, state: this.of("active", "suspended", "revoked"), reason: "x" }),
      () => ({ op: "key.life", ...place, life: { ...life, idleSince: this.below(99), told: this.some(["14d"]) } }),
      () => ({ op: "key.factors", ...place, factors: this.factors(held) }),
      () => ({ op: "environment.put", environment: { ...defaultEnvironment, name: environment } }),
      () => ({ op: "environment.remove", name: environment }),
      () => ({
        op: "role.put",
        role: {
          name: this.of("bot", "bots", "b", "chatbot"),
          grants: [],
          limits: { concurrency: this.below(9) },
          guard: {},
          networks: null,
          require: [],
        },
      }),
      () => ({ op: "role.remove", name: this.of("bot", "bots", "b", "chatbot") }),
      () => ({ op: "principal.put", principal: this.principal() }),
      () => ({
        op: "group.put",
        group: { id: `g${this.below(4)}`, name: this.of(...GROUPS), externalId: null, createdAt: 1, changedAt: 1 },
      }),
      () => ({ op: "group.remove", id: `g${this.below(4)}` }),
      () => ({ op: "assignment.put", assignment: this.assignment() }),
      () => ({ op: "assignment.remove", id: `a_${this.below(9)}` }),
      () => ({ op: "finding.put", finding }),
      () => ({ op: "finding.remove", id: `f${this.below(6)}` }),
      () => ({ op: "rightsizing.put", rightsizing: this.rightsizing(environment) }),
      () => ({ op: "review.put", review }),
      () => ({ op: "restriction.put", restriction }),
      () => ({ op: "restriction.remove", id: `r${this.below(6)}` }),
      () => ({ op: "localLogin.put", login }),
      () => ({ op: "localLogin.remove", principal }),
      () => ({
        op: "token.revoke",
        token: { environment, id: `t${this.below(20)}`, expiresAt: START_MS + this.below(9) * 1_000 },
      }),
      () => ({
        op: "tokenKey.insert",
        tokenKey: {
          environment,
          id: `${environment}-${this.below(4)}`,
          sealed: "s",
          purpose: "p",
          publicKey: publicKey.toString("base64"),
          createdAt: START_MS + this.below(99),
        },
      }),
      () => ({ op: "tokenKey.remove", environment, id: `${environment}-${this.below(4)}` }),
    )();
  }
}

const peppers = {
  current: () => undefined,
  get: () => undefined,
  create: () => ({ version: 1, bytes: Buffer.alloc(32) }),
};

function viewsOf({ reader }: Store, writer: ChangeWriter) {
  const clock = { now: () => START_MS + 100, monotonic: () => 0 };
  const policy = new SnapshotView(() => reader.policy(), new Map());
  const findings = new FindingRecords(() => reader.findings());
  const reviews = new ReviewRecords(() => reader.reviews());
  const restrictions = new Restrictions(() => reader.restrictions());
  const rightsizings = new Rightsizings(() => reader.rightsizings());
  const keys = new KeyDirectory(reader, peppers as never, (record) => rightsizings.over(restrictions.over(record)));
  const signers = new OllamaSignerIndex((visit) => reader.eachOllamaSigner(visit));
  const logins = new LocalLogins({ snapshot: () => policy.present, read: () => reader.localLogins() });
  const revoked = new RevokedTokens(clock, () => reader.revokedTokens());
  const tokenKeys = new TokenKeys({
    clock,
    sealer: { seal: () => "", open: () => Buffer.alloc(0) },
    changes: { change: () => Promise.reject(new Error("not here")), inTurn: (work) => work() },
    read: () => reader.tokenKeys(),
  });
  const views = [findings, reviews, restrictions, rightsizings, keys, signers, tokenKeys, revoked, logins, policy];
  const faults: unknown[] = [];
  const feed = new Feed({
    writer,
    views,
    isNarrowing: () => false,
    onFault: (what, cause) => faults.push(what, cause),
    onStale: (what) => faults.push(what),
  });

  /** Everything anybody can ask, in plain values. */
  function shown(): unknown {
    const { epoch, environments, roles, principals, assignments, groups } = policy.present;
    const ids = Array.from({ length: 12 }, (_, i) => `k${i}`.padEnd(12, "0"));
    const places = ENVIRONMENTS.flatMap((environment) => ids.map((id) => [environment, id] as const));
    const people = Array.from({ length: 9 }, (_, i) => `p_${i}`);
    const plain = {
      epoch,
      environments: [...environments],
      roles: [...roles],
      principals: [...principals],
      groups: [...groups],
      assignments: [...assignments],
      called: (["name", "user_name", "external_id", "email"] as const).map((by) =>
        WORDS.map((word) => principals.called(by, word)),
      ),
      identities: WORDS.map((word) => ["x", "y"].map((issuer) => principals.called("identity", issuer, word))),
      issuers: ["x", "y"].map((issuer) => principals.called("issuer", issuer)),
      members: GROUPS.map((group) => principals.called("group", group)),
      about: people.map((id) => assignments.about(principals.get(id) ?? { id, groups: ["team"] })),
      byGroup: GROUPS.map((group) => assignments.ofGroup(group)),
      byRole: ROLES.map((role) => assignments.naming(role)),
      keys: places.map(([environment, id]) => {
        const found = keys.find(environment, id);
        return (
          found && {
            ...found,
            secrets: found.secrets.map((one) => ({ ...one, hash: Buffer.from(one.hash).toString("hex") })),
          }
        );
      }),
      rights: places.map(([environment, id]) => {
        const found = keys.find(environment, id);
        return found && policy.present.rightOf(found)?.limits;
      }),
      signers: ids.flatMap((id) => ["f1", "f2", "f3"].map((f) => signers.find(`${id} ${f}`))),
      logins: people.map((id) => logins.of(id)),
      findings: findings.all().toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      rightsizings: rightsizings
        .all()
        .toSorted((a, b) => (`${a.environment}/${a.key}` < `${b.environment}/${b.key}` ? -1 : 1)),
      reviews: reviews.all(),
      withheld: ["a", "b"].map((text) => reviews.withholding(text) !== undefined),
      restrictions: restrictions.all().toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      laid: places.map(([environment, id]) =>
        restrictions
          .of(environment, id)
          .map((one) => one.id)
          .toSorted(),
      ),
      revoked: ENVIRONMENTS.flatMap((name) => Array.from({ length: 20 }, (_, i) => revoked.has(name, `t${i}`))),
      tokenKeys: ENVIRONMENTS.flatMap((name) =>
        tokenKeys
          .published(name)
          .map(({ id }) => id)
          .toSorted(),
      ),
    };
    return JSON.parse(JSON.stringify(plain));
  }
  return { feed, faults, shown };
}

it.each([1, 20_261_130, 77])("after any changes each view is what one read anew is (seed %i)", async (seed) => {
  const random = new Random(seed);
  const { store } = await open();
  const { feed, faults, shown } = viewsOf(store, store);
  let made = 0;
  for (let round = 0; round < 25; round++) {
    for (let i = 0; i < 30; i++) {
      const operations = Array.from({ length: 1 + random.below(3) }, () => random.operation());
      const done = await feed
        .inTurn(() => feed.change({ operations, events: [event(i)] }))
        .then(
          () => true,
          (problem: { code?: string }) => {
            expect(["conflict", "not_found", "already_exists", "fault"]).toContain(problem.code);
            return false;
          },
        );
      if (done) made++;
    }
    expect(shown()).toEqual(viewsOf(store, store).shown());
  }
  expect(faults).toEqual([]);
  expect(made).toBeGreaterThan(200);
});

it("a large change, made ready before it is committed, is shown as one read anew; one that fails is shown nowhere", async () => {
  const random = new Random(5);
  const { store } = await open();
  const { feed, faults, shown } = viewsOf(store, store);
  const operations: Operation[] = [];
  for (let n = 0; n < 400; n++) operations.push({ op: "principal.put", principal: random.principal() }, { op: "assignment.put", assignment: random.assignment() }); // prettier-ignore
  const make = (list: readonly Operation[]) => feed.inTurn(() => feed.change({ operations: list, events: [event(1)] }));
  const before = shown();
  await expect(make([...operations, { op: "role.remove", name: "none" }])).rejects.toMatchObject({ code: "not_found" });
  expect(shown()).toEqual(before);
  await make([{ op: "environment.remove", name: "dev" }]);
  await make(operations);
  expect(shown()).toEqual(viewsOf(store, store).shown());
  expect(faults).toEqual([]);
});

it("a change that the writer's thread does not know is refused whole, with nothing written", async () => {
  const { store } = await open();
  const strange = { op: "key.teleport", id: "x" } as unknown as Operation;
  const put: Operation = { op: "role.put", role: { name: "bot", grants: [], limits: {}, guard: {}, networks: null, require: [] } }; // prettier-ignore
  await expect(store.change({ operations: [put, strange], events: [event(1)] })).rejects.toMatchObject({
    code: "change_unknown",
    message: expect.stringContaining("sallyport/") as string,
  });
  expect(store.reader.policy()).toMatchObject({ epoch: 0, roles: [] });
});
