/** Security events and log-out tokens: what is taken, and everything that is nearly that. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EventReceiver, IssuerKeys, LogOut, SeenTokens } from "../program-under-test.ts";
import type { Provider, Statement } from "../program-under-test.ts";
import {
  AUDIENCE,
  CAEP,
  CLIENT,
  coded,
  eventClaims,
  hmacUnder,
  ISSUER,
  LOG_OUT,
  logOutClaims,
  makeSigning,
  NOW_MS,
  NOW_S,
  sign,
  unsigned,
} from "./token-maker.ts";
import type { Signing } from "./token-maker.ts";

const RISC = "https://schemas.openid.net/secevent/risc/event-type/";
const SSF = "https://schemas.openid.net/secevent/ssf/event-type/";
const provider: Provider = {
  name: "corp",
  issuer: ISSUER,
  keysUrl: "https://idp.example.org/jwks",
  transmitter: null,
  audience: AUDIENCE,
  clientId: CLIENT,
  hasExternalIds: false,
  mayNameByEmail: false,
  groupsClaim: "groups",
};

let first: Signing;
let second: Signing;
let elliptic: Signing;
let other: Signing;

beforeAll(async () => {
  [first, second, elliptic, other] = await Promise.all([
    makeSigning("1"),
    makeSigning("2"),
    makeSigning("3", "ES256"),
    makeSigning("4", "PS256"),
  ]);
});

class Receiver {
  nowMs = NOW_MS;
  served: Signing[] = [first, elliptic, other];
  isDown = false;
  reads = 0;
  readonly heard: Statement[] = [];
  readonly ended: unknown[] = [];
  fails: Error | null = null;
  readonly #ports;

  constructor(more: Partial<Provider> = {}) {
    const clock = { now: () => this.nowMs, monotonic: () => this.nowMs };
    const read = async (): Promise<string> => {
      this.reads++;
      if (this.isDown) throw new Error("down");
      return JSON.stringify({ keys: this.served.map(({ jwk }) => jwk) });
    };
    const reconciler = {
      hear: async (statements: readonly Statement[]) => {
        if (this.fails) throw this.fails;
        this.heard.push(...statements);
        return { isChanged: true, unknown: 0 };
      },
      signOut: async (which: unknown) => {
        this.ended.push(which);
        return ["p9"];
      },
    };
    this.#ports = { clock, provider: { ...provider, ...more }, keys: new IssuerKeys({ clock, read }), reconciler };
    this.events = new EventReceiver({ ...this.#ports, seen: new SeenTokens(clock) });
    this.logOut = new LogOut({ ...this.#ports, seen: new SeenTokens(clock) });
  }

  readonly events: EventReceiver;
  readonly logOut: LogOut;
}

let receiver: Receiver;
beforeEach(() => {
  receiver = new Receiver();
});

const SET = { typ: "secevent+jwt" };
const revoked = `${CAEP}session-revoked`;

async function take(claims: Record<string, unknown>, header: object = SET, by = first): Promise<string> {
  const text = await sign(by, claims, header as Record<string, unknown>);
  return (await receiver.events.receive(text))?.failure ?? "taken";
}

describe("what an event says", () => {
  it.each([
    [revoked, {}, { sessionsEnded: true }],
    [`${RISC}sessions-revoked`, {}, { sessionsEnded: true }],
    [`${CAEP}credential-change`, { change_type: "revoke", credential_type: "password" }, { credentialsRevoked: true }],
    [`${CAEP}credential-change`, { change_type: "delete" }, { credentialsRevoked: true }],
    [`${CAEP}credential-change`, { change_type: "create" }, { note: "credential_create" }],
    [`${CAEP}token-claims-change`, { claims: { groups: ["a", "a", "b"] } }, { groups: { set: ["a", "b"] } }],
    [`${CAEP}token-claims-change`, { claims: { other: 1 } }, { note: "claims_changed" }],
    [`${CAEP}risk-level-change`, { current_level: "HIGH", principal: "USER" }, { risk: "high" }],
    [`${CAEP}risk-level-change`, { current_level: "LOW" }, { risk: "low" }],
    [`${CAEP}device-compliance-change`, { current_status: "not-compliant" }, { risk: "medium" }],
    [`${CAEP}assurance-level-change`, { change_direction: "decrease" }, { risk: "medium" }],
    [`${CAEP}assurance-level-change`, { change_direction: "increase" }, { note: "assurance_level_changed" }],
    [`${RISC}account-disabled`, {}, { isActive: false }],
    [`${RISC}account-enabled`, {}, { isActive: true }],
  ])("%s %j", async (type, event, says) => {
    const at = { event_timestamp: NOW_S - 5 };
    expect(await take(eventClaims(type, { ...event, ...at }, { jti: "j1" }))).toBe("taken");
    expect(receiver.heard).toEqual([
      {
        source: "caep",
        by: ISSUER,
        actor: "gateway",
        event: "j1",
        isOnce: true,
        at: NOW_MS - 5_000,
        subject: { issuer: ISSUER, subject: "s1", externalIds: false },
        says,
      },
    ]);
  });

  it.each([
    [
      "a sign of life",
      eventClaims(`${SSF}verification`, { state: "x" }, { sub_id: { format: "opaque", id: "stream" } }),
    ],
    ["a kind nobody here knows", eventClaims(`${CAEP}something-else`, {})],
  ])("%s is taken, and nothing is done", async (_what, claims) => {
    expect([await take(claims), receiver.heard]).toEqual(["taken", []]);
  });

  it("a subject by address where it is configured, of a draft's place, and the user of a complex one", async () => {
    receiver = new Receiver({ mayNameByEmail: true });
    const email = { format: "email", email: "ada@example.org" };
    await take(eventClaims(revoked, { subject: email }, { sub_id: undefined }));
    await take(
      eventClaims(revoked, {}, { sub_id: { format: "complex", user: email, session: { format: "opaque", id: "x" } } }),
    );
    await take(eventClaims(revoked, { subject: { user: email } }, { sub_id: undefined }));
    expect(receiver.heard.map(({ subject }) => subject)).toEqual(Array(3).fill({ email: "ada@example.org" }));
  });

  it.each([
    ["no event", { events: {} }],
    ["two events", { events: { [revoked]: {}, [`${CAEP}credential-change`]: { change_type: "revoke" } } }],
    ["an event that is a text", { events: { [revoked]: "x" } }],
    ["events that are a list", { events: [revoked] }],
    ["no subject", { sub_id: undefined }],
    ["two subjects", { events: { [revoked]: { subject: { format: "iss_sub", iss: ISSUER, sub: "s2" } } } }],
    ["a subject of another issuer", { sub_id: { format: "iss_sub", iss: "https://evil.example.org", sub: "s1" } }],
    ["a subject without sub", { sub_id: { format: "iss_sub", iss: ISSUER } }],
    ["a subject by address, not configured", { sub_id: { format: "email", email: "ada@example.org" } }],
    ["an opaque subject", { sub_id: { format: "opaque", id: "s1" } }],
    ["a session alone", { sub_id: { format: "complex", session: { format: "opaque", id: "x" } } }],
    ["a time that lies ahead", { events: { [revoked]: { event_timestamp: NOW_S + 3_600 } } }],
    ["a time that is a text", { events: { [revoked]: { event_timestamp: "now" } } }],
    ["groups that are a text", { events: { [`${CAEP}token-claims-change`]: { claims: { groups: "admins" } } } }],
    ["groups with a number", { events: { [`${CAEP}token-claims-change`]: { claims: { groups: ["a", 1] } } } }],
    [
      "groups with a control character",
      { events: { [`${CAEP}token-claims-change`]: { claims: { groups: ["a\u0000"] } } } },
    ],
    ["a change of credentials of no kind", { events: { [`${CAEP}credential-change`]: {} } }],
    ["a level that is none", { events: { [`${CAEP}risk-level-change`]: { current_level: "high" } } }],
  ])("%s is refused", async (_what, more) => {
    expect([await take(eventClaims(revoked, {}, more)), receiver.heard]).toEqual(["invalid_request", []]);
  });
});

describe("what a token must be", () => {
  it.each([
    ["another issuer", { iss: "https://evil.example.org" }, "invalid_issuer"],
    ["the issuer with a slash", { iss: `${ISSUER}/` }, "invalid_issuer"],
    ["no issuer", { iss: undefined }, "invalid_issuer"],
    ["another audience", { aud: "https://other.example.org" }, "invalid_audience"],
    ["no audience", { aud: undefined }, "invalid_audience"],
    ["no jti", { jti: undefined }, "invalid_request"],
    ["an empty jti", { jti: "" }, "invalid_request"],
    ["a jti that is a number", { jti: 1 }, "invalid_request"],
    ["no iat", { iat: undefined }, "invalid_request"],
    ["an iat that lies ahead", { iat: NOW_S + 120 }, "invalid_request"],
    ["an iat of a week ago", { iat: NOW_S - 8 * 86_400 }, "invalid_request"],
    ["an exp that is past", { exp: NOW_S - 120 }, "invalid_request"],
    ["an nbf that lies ahead", { nbf: NOW_S + 600 }, "invalid_request"],
  ])("%s: %j is %s", async (_what, more, failure) => {
    expect([await take(eventClaims(revoked, {}, more)), receiver.heard]).toEqual([failure, []]);
  });

  it.each([
    ["no type", {}],
    ["the type of an access token", { typ: "at+jwt" }],
    ["the type of a log-out", { typ: "logout+jwt" }],
    ["a plain type", { typ: "JWT" }],
  ])("%s is refused", async (_what, header) => {
    expect(await take(eventClaims(revoked, {}), header)).toBe("invalid_request");
  });

  it("ES256 is taken, another algorithm of the same key is not", async () => {
    expect(await take(eventClaims(revoked, {}), SET, elliptic)).toBe("taken");
    expect(await take(eventClaims(revoked, {}), SET, other)).toBe("invalid_key");
  });

  it("no algorithm, a shared secret under a public key, a signature of somebody else, changed claims", async () => {
    const claims = eventClaims(revoked, {});
    const good = await sign(first, claims, SET);
    const [head = "", , signature = ""] = good.split(".");
    const texts = [
      unsigned(claims, { alg: "none", ...SET }),
      hmacUnder(first.pem, claims, { alg: "HS256", kid: "1", ...SET }),
      hmacUnder(JSON.stringify(first.jwk), claims, { alg: "HS256", kid: "1", ...SET }),
      await sign({ ...second, kid: "1" }, claims, SET),
      `${head}.${coded({ ...claims, sub_id: { format: "iss_sub", iss: ISSUER, sub: "s2" } })}.${signature}`,
      await sign(first, claims, { ...SET, crit: ["x"], x: 1 }).catch(
        () => `${coded({ alg: "RS256", kid: "1", crit: ["x"], x: 1, ...SET })}.${coded(claims)}.${signature}`,
      ),
    ];
    for (const text of texts) expect((await receiver.events.receive(text))?.failure).toBe("invalid_key");
    expect(receiver.heard).toEqual([]);
  });

  it("a key of 1024 bits does not count", async () => {
    const { generateKeyPairSync, sign: signBytes } = await import("node:crypto");
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    receiver.served = [{ ...first, jwk: { ...publicKey.export({ format: "jwk" }), kid: "weak" } as Signing["jwk"] }];
    const input = `${coded({ alg: "RS256", kid: "weak", ...SET })}.${coded(eventClaims(revoked, {}))}`;
    const text = `${input}.${signBytes("sha256", Buffer.from(input), privateKey).toString("base64url")}`;
    expect((await receiver.events.receive(text))?.failure).toBe("invalid_key");
  });

  it("no token, a claim twice, a huge one", async () => {
    const claims = JSON.stringify(eventClaims(revoked, {}));
    const head = coded({ alg: "RS256", kid: "1", ...SET });
    for (const text of [
      "",
      "a.b",
      "a.b.c.d",
      "x y.z.w",
      `${head}.${coded(claims.replace("{", '{"iss":"x",'))}.AA`,
      `${head}.${"A".repeat(70_000)}.AA`,
    ])
      expect((await receiver.events.receive(text))?.failure).toBe("invalid_request");
  });

  it("a transmitter of its own signs for the issuer's people, and the issuer no more", async () => {
    const transmitter = { issuer: "https://signals.example.org", keysUrl: "https://signals.example.org/jwks" };
    receiver = new Receiver({ transmitter });
    expect(await take(eventClaims(revoked, {}, { iss: transmitter.issuer }))).toBe("taken");
    expect(receiver.heard[0]!.subject).toMatchObject({ issuer: ISSUER, subject: "s1" });
    expect(await take(eventClaims(revoked, {}))).toBe("invalid_issuer");
  });

  it("the same event twice is taken twice and heard once; one that could not be written may come again", async () => {
    const claims = eventClaims(revoked, {});
    receiver.fails = new Error("disk full");
    await expect(take(claims)).rejects.toThrow("disk full");
    receiver.fails = null;
    expect([await take(claims), await take(claims), receiver.heard.length]).toEqual(["taken", "taken", 1]);
  });
});

describe("the issuer's keys", () => {
  const send = (by: Signing): Promise<string> => take(eventClaims(revoked, {}), SET, by);

  it("are read once and kept; a new one is looked for once a minute, and until then the sender is to come again", async () => {
    expect([await send(first), await send(first), receiver.reads]).toEqual(["taken", "taken", 1]);
    receiver.served = [second];
    expect([await send(second), receiver.reads]).toEqual(["unavailable", 1]);
    receiver.nowMs += 61_000;
    expect([await send(second), receiver.reads]).toEqual(["taken", 2]);
    expect(await send(first)).toBe("unavailable");
    receiver.nowMs += 61_000;
    expect(await send(first)).toBe("invalid_key");
  });

  it("that cannot be read verify nothing: nothing is refused and nothing done", async () => {
    receiver.isDown = true;
    expect([await send(first), receiver.heard]).toEqual(["unavailable", []]);
    receiver.isDown = false;
    expect(await send(first)).toBe("taken");
    receiver.isDown = true;
    receiver.nowMs += 30 * 60_000;
    expect(await send(first)).toBe("taken");
    receiver.nowMs += 31 * 60_000;
    expect(await send(first)).toBe("unavailable");
  });

  it("are read once for all who wait", async () => {
    const texts = await Promise.all([1, 2, 3].map(() => sign(first, eventClaims(revoked, {}), SET)));
    await Promise.all(texts.map((text) => receiver.events.receive(text)));
    expect([receiver.reads, receiver.heard.length]).toEqual([1, 3]);
  });
});

describe("a log-out token", () => {
  const typ = { typ: "logout+jwt" };
  const send = async (claims: Record<string, unknown>, header: object = typ): Promise<string> =>
    (await receiver.logOut.receive(await sign(first, claims, header as Record<string, unknown>)))?.failure ?? "taken";

  it.each([[typ], [{ typ: "JWT" }], [{}]])("of the type %j ends the sessions and is heard", async (header) => {
    expect(await send(logOutClaims({ jti: "j1" }), header)).toBe("taken");
    expect(receiver.ended).toEqual([{ issuer: ISSUER, subject: "s1" }]);
    expect(receiver.heard).toMatchObject([
      { source: "logout", event: "j1", says: { sessionsEnded: true }, subject: { subject: "s1" } },
    ]);
  });

  it("of a session alone is about whoever's it was", async () => {
    expect(await send(logOutClaims({ sub: undefined, sid: "x" }))).toBe("taken");
    expect([receiver.ended, receiver.heard[0]!.subject]).toEqual([[{ issuer: ISSUER, sid: "x" }], { principal: "p9" }]);
  });

  it.each([
    ["a nonce", { nonce: "n" }, "invalid_request"],
    ["no exp", { exp: undefined }, "invalid_request"],
    ["an exp that is past", { exp: NOW_S - 120 }, "invalid_request"],
    ["an iat of an hour ago", { iat: NOW_S - 3_600 }, "invalid_request"],
    ["an iat that lies ahead", { iat: NOW_S + 600, exp: NOW_S + 900 }, "invalid_request"],
    ["neither sub nor sid", { sub: undefined }, "invalid_request"],
    ["a sub that is a number", { sub: 1 }, "invalid_request"],
    ["no events", { events: undefined }, "invalid_request"],
    ["another event", { events: { [revoked]: {} } }, "invalid_request"],
    ["an event besides", { events: { [LOG_OUT]: {}, x: {} } }, "invalid_request"],
    ["an event that is true", { events: { [LOG_OUT]: true } }, "invalid_request"],
    ["no jti", { jti: undefined }, "invalid_request"],
    ["another audience", { aud: AUDIENCE }, "invalid_audience"],
    ["another issuer", { iss: "https://evil.example.org" }, "invalid_issuer"],
  ])("with %s: %j is refused", async (_what, more, failure) => {
    expect([await send(logOutClaims(more)), receiver.heard, receiver.ended]).toEqual([failure, [], []]);
  });

  it("that comes again is refused, and so is a security event in its place", async () => {
    const claims = logOutClaims();
    expect([await send(claims), await send(claims)]).toEqual(["taken", "invalid_request"]);
    expect(await send(logOutClaims(), SET)).toBe("invalid_request");
  });
});
