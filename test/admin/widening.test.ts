/**
 * Every route of the contract is one of three: it reads, it takes away, or it opens something wider. What opens is asked of
 * the caller's delegation scope, by a caller who may do everything but hand anything out. A new route that is not in the
 * table does not compile and fails here.
 */
import { AdminClient } from "@sallyport/client";
import { contract } from "@sallyport/contract";
import type { RouteName } from "@sallyport/contract";
import { beforeEach, describe, expect, it } from "vitest";
import { everything } from "../program-under-test.ts";
import type { AdminRight } from "../program-under-test.ts";
import { clientOf, codeOf } from "./caller.ts";
import { suspendedByReview } from "./review-world.ts";
import { MemoryGateway } from "./memory-ports.ts";

/** Everything that can be opened stands closed in dev. */
const CLOSED = {
  upstreams: '[{ url: "http://127.0.0.1:11434", concurrency: 2 }]',
  keys: "{ maxAge: 30d, overlap: 1d, overlapMax: 7d, quiet: 1d, rotateWithin: 1d, neverUsed: 7d, unusedNotice: 7d, idle: 14d, destroy: 30d, orphan: 3d, onLeave: revoke, onRoleLost: revoke, onSignOut: suspend, onRisk: suspend }",
  cloud: "deny",
  registries: "[registry.ollama.ai]",
  keepAliveMax: "2m",
  limits: "{ requests: 60/min, concurrency: 4 }",
  guard: "{ outputTokens: 1024, images: 2 }",
  networks: "[10.0.0.0/8]",
  require: "[network]",
  requireFor: '[{ do: ["infer:chat"], need: [signature] }]',
  tokens: "{ ttl: 5m, only: true }",
  anomalies: "{ budget: 2, for: 2h, actions: { default: suspend } }",
};

function policy(
  dev: Partial<Record<keyof typeof CLOSED | "pathSecrets" | "inferenceRecording", string | null>> = {},
  bot = BOT,
): string {
  const lines = Object.entries({ ...CLOSED, ...dev }).filter(([, text]) => text !== null);
  return `environments:\n  dev:\n${lines.map(([name, text]) => `    ${name}: ${text}\n`).join("")}  prod: { upstreams: [{ url: "http://10.0.0.1:11434" }] }
roles:\n  bot: ${bot}\nassign:\n  - { group: ops, role: bot, in: [dev] }\n`;
}

const BOT = "{ allow: [{ do: [infer:chat], on: [llama3.2] }], limits: { requests: 30/min }, guard: { images: 1 } }";

const CONDITIONS = { networks: ["10.1.0.0/16"], binding: "first_use" as const, require: ["signature" as const] };
/** May do everything in dev, and hand out nothing. */
const weak: AdminRight = { permissions: everything.permissions, environments: ["dev"], mayGrant: null };

let gateway: MemoryGateway;
let root: AdminClient;
let client: AdminClient;
/** A key of dev, its owner, and a person of the group. */
let known: { key: string; owner: string; person: string };

beforeEach(async () => {
  gateway = new MemoryGateway();
  root = new AdminClient({ handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }) });
  client = clientOf(gateway, weak);
  await root.call("policy.apply", { body: { text: policy() } });
  const key = await root.call("keys.create", {
    body: { environment: "dev", name: "k", roles: ["bot"], models: ["llama3.2"], ...CONDITIONS },
  });
  const { id } = await root.call("principals.create", { body: { kind: "person", name: "ada", groups: ["ops"] } });
  known = { key: key.id, owner: key.owner, person: id };
});

const byKey = (): { params: { id: string } } => ({ params: { id: known.key } });
const suspendedByRoot = async (): Promise<void> => void (await root.call("keys.suspend", byKey()));

/** `socket`: only the operating-system user calls it. `policy`: does what policy says, whoever asks. */
type Kind = "reads" | "narrows" | "socket" | "policy" | (() => Promise<string>);

const routes: Record<RouteName, Kind> = {
  openConsole: "narrows",
  "usage.list": "reads",
  "usage.rebuild": "socket",
  "usage.rebuilding": "reads",
  "anomalies.list": "reads",
  "anomalies.answer": () =>
    codeOf(client.call("anomalies.answer", { body: { alert: `dev/${known.key}/flood/1`, verdict: "false_alarm" } })),
  status: "reads",
  activity: "reads",
  "access.list": "reads",
  findings: "reads",
  "findings.accept": "policy",
  "findings.reopen": "policy",
  openapi: "reads",
  "audit.search": "reads",
  "audit.verify": "reads",
  "audit.proof": "reads",
  "keys.list": "reads",
  "keys.create": () =>
    codeOf(
      client.call("keys.create", {
        body: { environment: "dev", name: "n", allow: ["infer:chat"], models: ["llama3.2"] },
      }),
    ),
  "keys.show": "reads",
  "keys.rotate": () => codeOf(client.call("keys.rotate", { ...byKey(), body: {} })),
  "keys.finish": "narrows",
  "keys.sweep": "policy",
  "keys.suspend": "narrows",
  "keys.resume": async () => {
    await suspendedByRoot();
    return codeOf(client.call("keys.resume", byKey()));
  },
  "keys.revoke": "narrows",
  "requests.end": "narrows",
  "adminKeys.list": "reads",
  "adminKeys.create": () =>
    codeOf(
      client.call("adminKeys.create", { body: { name: "n", role: "admin", environments: ["dev"], mayGrant: "*" } }),
    ),
  "adminKeys.revoke": "narrows",
  "adminKeys.reset": "socket",
  "keys.factors": () => codeOf(client.call("keys.factors", { ...byKey(), body: { binding: null } })),
  "keys.addSigner": () => codeOf(client.call("keys.addSigner", { ...byKey(), body: { use: "request", hmac: true } })),
  "keys.removeSigner": "narrows",
  "keys.addWorkload": () =>
    codeOf(
      client.call("keys.addWorkload", {
        ...byKey(),
        body: { template: "github", audience: "a", claims: { repository_id: "1", repository_owner_id: "2" } },
      }),
    ),
  "keys.removeWorkload": "narrows",
  "keys.makePathSecret": () => codeOf(client.call("keys.makePathSecret", byKey())),
  "keys.removePathSecret": "narrows",
  "leaks.report": "narrows",
  "leaks.list": "reads",
  "incidents.open": "narrows",
  "incidents.list": "reads",
  "incidents.radius": "reads",
  "incidents.report": "reads",
  "incidents.close": async () => {
    const { id } = await root.call("incidents.open", { body: { keyId: known.key } });
    return codeOf(client.call("incidents.close", { params: { id }, body: { outcome: "false_alarm" } }));
  },
  "rightsizing.plan": "reads",
  "rightsizing.planned": "reads",
  "rightsizing.list": "reads",
  "rightsizing.shadow": "narrows",
  "rightsizing.apply": "narrows",
  "rightsizing.stop": async () => {
    await root.call("rightsizing.apply", { body: { keyId: known.key } });
    return codeOf(client.call("rightsizing.stop", { body: { keyId: known.key } }));
  },
  "principals.list": "reads",
  "principals.create": () =>
    codeOf(client.call("principals.create", { body: { kind: "person", name: "n", groups: ["ops"] } })),
  "principals.show": "reads",
  "principals.disable": "narrows",
  "principals.enable": async () => {
    await client.call("principals.disable", { params: { id: known.person } });
    return codeOf(client.call("principals.enable", { params: { id: known.person } }));
  },
  "principals.invite": () => codeOf(client.call("principals.invite", { params: { id: known.person } })),
  "principals.uninvite": "narrows",
  "principals.confirm": () => codeOf(client.call("principals.confirm", { params: { id: known.person } })),
  "assignments.list": "reads",
  "assignments.create": () =>
    codeOf(
      client.call("assignments.create", { body: { subject: { group: "g" }, environment: "dev", roles: ["bot"] } }),
    ),
  "assignments.remove": "narrows",
  "reviews.start": "policy",
  "reviews.list": "reads",
  "reviews.show": "reads",
  "reviews.lines": "reads",
  "reviews.open": "policy",
  "reviews.decide": "narrows",
  "reviews.delegate": "policy",
  "reviews.restore": async () => {
    const { id, line } = await suspendedByReview(gateway, root, known.key);
    return codeOf(client.call("reviews.restore", { params: { id, line }, body: { reason: "r" } }));
  },
  "reviews.close": "narrows",
  "reviews.export": "reads",
  "reviews.records": "reads",
  "reviews.report": "policy",
  "roles.list": "reads",
  "roles.show": "reads",
  "environments.list": "reads",
  "environments.show": "reads",
  "upstreams.list": "reads",
  "upstreams.drain": () =>
    codeOf(client.call("upstreams.drain", { params: { name: "dev", upstream: "u1" }, body: { isDrained: false } })),
  "upstreams.setCredential": () =>
    codeOf(
      client.call("upstreams.setCredential", { params: { name: "dev", upstream: "u1" }, body: { credential: "c" } }),
    ),
  "upstreams.removeCredential": "narrows",
  "upstreams.setTls": () =>
    codeOf(client.call("upstreams.setTls", { params: { name: "dev", upstream: "u1" }, body: { ca: "x" } })),
  "upstreams.removeTls": () => codeOf(client.call("upstreams.removeTls", { params: { name: "dev", upstream: "u1" } })),
  "policy.show": "reads",
  "policy.text": "reads",
  "policy.plan": () => codeOf(client.call("policy.plan", { body: { text: policy({ networks: null }) } })),
  "policy.apply": () => codeOf(client.call("policy.apply", { body: { text: policy({ networks: null }) } })),
  explainToken: "reads",
  explain: "reads",
  "restore.show": "reads",
  "restore.replay": "socket",
  "restore.confirm": "socket",
};

describe("every route of the contract is classified", () => {
  it("once, and by what it does", () => {
    expect(Object.keys(routes).toSorted()).toEqual(Object.keys(contract).toSorted());
    for (const name of Object.keys(contract) as RouteName[]) {
      const { method, events, caller } = contract[name];
      if (routes[name] === "reads")
        expect([name, events]).toEqual([name, events.includes("audit.read" as never) ? ["audit.read"] : []]);
      if (method === "GET") expect([name, routes[name]]).toEqual([name, "reads"]);
      expect([name, routes[name] === "socket"]).toEqual([name, caller === "socket"]);
    }
  });

  const opening = (Object.keys(routes) as RouteName[]).filter((name) => typeof routes[name] === "function");
  it.each(opening)("%s asks the delegation scope", async (name) => {
    const attack = routes[name];
    if (typeof attack !== "function") throw new Error(name);
    const { assignments, environments } = gateway.state;
    expect(await attack()).toBe("grant_exceeds_issuer");
    expect([gateway.state.assignments, gateway.state.environments]).toEqual([assignments, environments]);
  });
});

describe("an environment that is opened asks for it in each dimension", () => {
  it.each<[string, Parameters<typeof policy>[0]]>([
    ["networks lifted", { networks: null }],
    ["networks wider", { networks: "[10.0.0.0/7]" }],
    ["another network", { networks: "[10.0.0.0/8, 192.168.0.0/16]" }],
    ["require lifted", { require: null }],
    ["requireFor lifted", { requireFor: null }],
    ["cloud", { cloud: "allow" }],
    ["a registry", { registries: "[registry.ollama.ai, hf.co]" }],
    ["keepAliveMax", { keepAliveMax: "1h" }],
    ["limits lifted", { limits: null }],
    ["a higher rate", { limits: "{ requests: 61/min, concurrency: 4 }" }],
    ["concurrency", { limits: "{ requests: 60/min }" }],
    ["guard lifted", { guard: null }],
    ["outputTokens", { guard: "{ outputTokens: 1025, images: 2 }" }],
    ["images", { guard: "{ outputTokens: 1024 }" }],
    ["path secrets", { pathSecrets: "allow" }],
    ["token ttl", { tokens: "{ ttl: 15m, only: true }" }],
    ["tokens only", { tokens: "{ ttl: 5m }" }],
    ["anomalies lifted", { anomalies: null }],
    ["a milder action", { anomalies: "{ budget: 2, for: 2h, actions: { default: suspend, flood: note } }" }],
    ["a shorter action", { anomalies: "{ budget: 2, for: 1h, actions: { default: suspend } }" }],
    ["no record", { inferenceRecording: "fail_open_with_gap_record" }],
    ["maxAge", { keys: CLOSED.keys.replace("maxAge: 30d", "maxAge: 90d") }],
    ["overlap", { keys: CLOSED.keys.replace("overlap: 1d", "overlap: 2d") }],
    ["idle never", { keys: CLOSED.keys.replace("idle: 14d", "idle: 0s") }],
    ["neverUsed", { keys: CLOSED.keys.replace("neverUsed: 7d", "neverUsed: 8d") }],
    ["orphans", { keys: CLOSED.keys.replace("orphan: 3d", "orphan: 0s") }],
    ["onLeave", { keys: CLOSED.keys.replace("onLeave: revoke", "onLeave: keep") }],
    ["onSignOut", { keys: CLOSED.keys.replace("onSignOut: suspend", "onSignOut: keep") }],
    ["upstream concurrency", { upstreams: '[{ url: "http://127.0.0.1:11434" }]' }],
    ["another server", { upstreams: '[{ url: "http://10.0.0.7:11434" }]' }],
  ])("%s", async (_what, dev) => {
    expect(await codeOf(client.call("policy.apply", { body: { text: policy(dev) } }))).toBe("grant_exceeds_issuer");
    const full = clientOf(gateway, { ...weak, mayGrant: "*" });
    const isServer = dev?.upstreams?.includes("10.0.0.7") === true;
    expect(await codeOf(full.call("policy.apply", { body: { text: policy(dev) } }))).toBe(
      isServer ? "grant_exceeds_issuer" : "done",
    );
  });

  it("also where nobody holds anything yet", async () => {
    const lab = (text: string): string =>
      policy().replace("  prod:", `  lab: { upstreams: [{ url: "http://10.0.0.9:11434" }]${text} }\n  prod:`);
    await root.call("policy.apply", { body: { text: lab(", networks: [10.0.0.0/8]") } });
    const own = clientOf(gateway, { ...weak, environments: ["lab"] });
    expect(await codeOf(own.call("policy.apply", { body: { text: lab("") } }))).toBe("grant_exceeds_issuer");
  });

  it("and closing it asks for nothing", async () => {
    const closer = policy({
      networks: "[10.1.0.0/16]",
      require: "[network, signature]",
      limits: "{ requests: 30/min, concurrency: 1 }",
      tokens: "{ ttl: 1m, only: true }",
      keys: CLOSED.keys.replace("idle: 14d", "idle: 10d"),
    });
    expect(await codeOf(client.call("policy.apply", { body: { text: closer } }))).toBe("done");
  });
});

describe("a role asks for whoever would gain by it", () => {
  const scoped = (): AdminClient =>
    clientOf(gateway, { ...weak, mayGrant: { allow: ["infer:chat", "models:delete"], models: ["llama3.2"] } });

  it("also by the keys that name it", async () => {
    const owner = known.person;
    await root.call("assignments.create", {
      body: { subject: { principal: owner }, environment: "dev", allow: ["models:delete"], models: ["*"] },
    });
    await root.call("keys.create", {
      body: { environment: "dev", name: "wide", owner, roles: ["bot"], models: ["*"] },
    });
    const wider = BOT.replace("infer:chat", "infer:chat, models:delete");
    expect(await codeOf(scoped().call("policy.apply", { body: { text: policy({}, wider) } }))).toBe(
      "grant_exceeds_issuer",
    );
  });

  it.each([
    ["limits", BOT.replace("30/min", "31/min")],
    ["guard", BOT.replace("images: 1", "images: 2")],
    ["models", BOT.replace("llama3.2", "llama3.2, mistral")],
  ])("%s", async (_what, bot) => {
    expect(await codeOf(client.call("policy.apply", { body: { text: policy({}, bot) } }))).toBe("grant_exceeds_issuer");
  });

  it("and less of it asks for nothing", async () => {
    const less = BOT.replace("30/min", "10/min");
    expect(await codeOf(client.call("policy.apply", { body: { text: policy({}, less) } }))).toBe("done");
  });
});

describe("a key's own access conditions", () => {
  it.each<[string, object, string]>([
    ["any network", { networks: null }, "grant_exceeds_issuer"],
    ["a wider network", { networks: ["10.0.0.0/8"] }, "grant_exceeds_issuer"],
    ["no signature", { require: [] }, "grant_exceeds_issuer"],
    ["a part of its network", { networks: ["10.1.2.0/24"] }, "done"],
    ["one demand more", { require: ["signature", "identity"] }, "done"],
  ])("%s", async (_what, body, code) => {
    expect(await codeOf(client.call("keys.factors", { ...byKey(), body }))).toBe(code);
  });
});

describe("a person's log-in is no key to be handed around", () => {
  beforeEach(() => {
    const session = { issuer: "https://id.example.org", subject: "s", sid: null, authenticatedAt: 1 };
    const name = `dev/${known.key}`;
    gateway.stored.set(name, { ...gateway.stored.get(name)!, session });
    gateway.ports.keys.apply([{ of: "key", environment: "dev", id: known.key, now: undefined }]);
  });

  it.each<[RouteName, object]>([
    ["keys.rotate", { body: {} }],
    ["keys.factors", { body: { networks: ["10.1.2.0/24"] } }],
    ["keys.addSigner", { body: { use: "request", hmac: true } }],
    [
      "keys.addWorkload",
      { body: { template: "github", audience: "a", claims: { repository_id: "1", repository_owner_id: "2" } } },
    ],
    ["keys.makePathSecret", {}],
    ["keys.resume", {}],
  ])("%s", async (name, order) => {
    expect(await codeOf(root.call(name as "keys.rotate", { ...byKey(), ...order } as never))).toBe("key_is_session");
  });

  it("but it is suspended and revoked", async () => {
    expect(await codeOf(client.call("keys.suspend", byKey()))).toBe("done");
    expect(await codeOf(client.call("keys.revoke", byKey()))).toBe("done");
  });
});

describe("limits and guards are part of the delegation scope", () => {
  const bounded: AdminRight = {
    ...weak,
    environments: ["dev", "prod"],
    mayGrant: {
      allow: ["infer:chat"],
      models: ["llama3.2"],
      limits: { requests: { count: 10, windowMs: 60_000 } },
      guard: { images: 1 },
    },
  };

  it.each<[string, object, string]>([
    ["no limit", { allow: ["infer:chat"] }, "grant_exceeds_issuer"],
    ["a wider limit", { allow: ["infer:chat"], limits: { requests: "11/min" } }, "grant_exceeds_issuer"],
    ["a limit and no guard", { allow: ["infer:chat"], limits: { requests: "10/min" } }, "grant_exceeds_issuer"],
    ["a limit, and the role's guard", { roles: ["bot"], limits: { requests: "5/min" } }, "done"],
  ])("%s in prod", async (_what, part, code) => {
    const body = { environment: "prod", name: "n", models: ["llama3.2"], ...part };
    expect(await codeOf(clientOf(gateway, bounded).call("keys.create", { body }))).toBe(code);
  });

  it("an owner's key that is bound is given", async () => {
    const part = { owner: known.person, roles: ["bot"], limits: { requests: "5/min" } };
    const body = { environment: "prod", name: "n", models: ["llama3.2"], ...part };
    expect(await codeOf(clientOf(gateway, bounded).call("keys.create", { body }))).toBe("done");
  });

  it("a child admin key is bound at least so tightly", async () => {
    const parent = clientOf(gateway, bounded);
    const order = (mayGrant: object) => ({
      body: { name: "c", role: "issuer" as const, environments: ["prod"], mayGrant: mayGrant as never },
    });
    const chat = { allow: ["infer:chat"], models: ["llama3.2"] };
    expect(await codeOf(parent.call("adminKeys.create", order(chat)))).toBe("grant_exceeds_issuer");
    const tight = { ...chat, limits: { requests: "5/min" }, guard: { images: 0 } };
    expect(await codeOf(parent.call("adminKeys.create", order(tight)))).toBe("done");
  });
});
