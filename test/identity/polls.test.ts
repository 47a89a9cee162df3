/** What the gateway asks by itself: a transmitter for events (RFC 8936), a provider's directory for who is still there. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  DirectoryPoll,
  DirectoryReader,
  emptyExternal,
  EventPoll,
  failed,
  newPrincipal,
  Secret,
  sendBounded,
} from "../program-under-test.ts";
import type { BoundedRequest, Principal, Statement } from "../program-under-test.ts";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { AUDIENCE, CLIENT, ISSUER, NOW_MS } from "./token-maker.ts";

const bearer = new Secret("a-bearer-of-the-tests-0123456789");

describe("a transmitter", () => {
  /** Sets waiting there, by id, and what it was told. */
  let waiting: Record<string, unknown>;
  let asked: { ack?: string[]; setErrs?: Record<string, { err: string }>; maxEvents?: number }[];
  let judged: Record<string, ReturnType<typeof failed> | undefined>;
  let status: number;
  let poll: EventPoll;

  beforeEach(() => {
    [waiting, asked, judged, status] = [{}, [], {}, 200];
    poll = new EventPoll({
      url: "https://idp.example.org/poll",
      bearer,
      send: async ({ headers, body }) => {
        expect(headers).toMatchObject({ authorization: `Bearer ${bearer.reveal()}` });
        const told = JSON.parse(body ?? "") as (typeof asked)[number];
        asked.push(told);
        for (const id of [...(told.ack ?? []), ...Object.keys(told.setErrs ?? {})]) delete waiting[id];
        return { status, text: JSON.stringify({ sets: told.maxEvents === 0 ? {} : waiting }) };
      },
      receiver: {
        receive: async (text, id) => (text === `set of ${id}` ? judged[id ?? ""] : failed("invalid_request", "?")),
      },
    });
  });

  it("is told what was taken and what was refused, and asked until nothing is left", async () => {
    waiting = { a: "set of a", b: "set of b", c: 7 };
    judged["b"] = failed("invalid_audience", "for somebody else");
    await poll.look();
    expect(asked).toMatchObject([
      { ack: [], setErrs: {} },
      { ack: ["a"], setErrs: { b: { err: "invalid_audience" }, c: { err: "invalid_request" } } },
    ]);
    expect(waiting).toEqual({});
  });

  it("keeps what cannot be verified now", async () => {
    waiting = { a: "set of a", b: "set of b" };
    judged["b"] = failed("unavailable", "later");
    await expect(poll.look()).rejects.toThrow("cannot be verified now");
    expect([asked.at(-1), waiting]).toMatchObject([{ ack: ["a"], maxEvents: 0 }, { b: "set of b" }]);
  });

  it("that does not answer, or not as it must, is asked again later", async () => {
    status = 500;
    await expect(poll.look()).rejects.toThrow("answered 500");
    status = 200;
    waiting = [] as unknown as Record<string, unknown>;
    await expect(poll.look()).rejects.toThrow("no sets");
  });

  it("that never ends is left for the next look", async () => {
    judged = {};
    let n = 0;
    const endless = new EventPoll({
      url: "https://idp.example.org/poll",
      bearer,
      send: async () => ({ status: 200, text: JSON.stringify({ sets: { [`id${n++}`]: "x" } }) }),
      receiver: { receive: async () => undefined },
    });
    await endless.look();
    expect(n).toBe(20);
  });
});

describe("a directory", () => {
  let users: Record<string, unknown>[];
  let groups: Record<string, unknown>[];
  let people: Principal[];
  let heard: Statement[];
  let seen: string[];
  let nowMs: number;
  let break_: ((url: string) => { status: number; text: string } | undefined) | null;
  let poll: DirectoryPoll;

  const person = (subject: string): Principal =>
    newPrincipal({
      kind: "person",
      name: subject,
      createdAt: 0,
      external: { ...emptyExternal(0), identities: [{ issuer: ISSUER, subject }] },
    });

  const send = async ({ url }: BoundedRequest): Promise<{ status: number; text: string }> => {
    seen.push(decodeURIComponent(url));
    const broken = break_?.(url);
    if (broken) return broken;
    const { pathname, searchParams } = new URL(url);
    const all = pathname.endsWith("/Users") ? users : groups;
    const start = Number(searchParams.get("startIndex")) - 1;
    const since = /gt "([^"]+)"/.exec(searchParams.get("filter") ?? "")?.[1];
    const found = since === undefined ? all : all.filter((one) => String(one["changed"]) > since);
    const Resources = found.slice(start, start + Math.min(2, Number(searchParams.get("count"))));
    return { status: 200, text: JSON.stringify({ totalResults: found.length, Resources }) };
  };

  beforeEach(() => {
    nowMs = NOW_MS;
    [heard, seen, break_] = [[], [], null];
    users = ["s1", "s2", "s3", "s4", "s5"].map((id) => ({ id, userName: id, active: true, changed: "2020" }));
    groups = [
      { displayName: "ops", members: [{ value: "s1" }, { value: "s2" }] },
      { displayName: "all", members: users.map(({ id }) => ({ value: id })) },
    ];
    people = ["s1", "s2", "s3", "s4"].map(person);
    const provider = {
      name: "corp",
      issuer: ISSUER,
      keysUrl: "",
      transmitter: null,
      audience: AUDIENCE,
      clientId: CLIENT,
      hasExternalIds: false,
      mayNameByEmail: false,
      groupsClaim: "groups",
    };
    poll = new DirectoryPoll({
      clock: { now: () => nowMs },
      provider,
      subject: "id",
      directory: new DirectoryReader({ url: "https://idp.example.org/scim", bearer, send }),
      people: () => people,
      reconciler: {
        hear: async (statements) => {
          heard.push(...statements);
          return { isChanged: true, unknown: 0 };
        },
      },
    });
  });

  const said = (): unknown[] =>
    heard
      .splice(0)
      .map(({ subject, says }) => [
        people.find(({ id }) => "principal" in subject && id === subject.principal)?.name,
        says,
      ]);

  it("is read whole, page by page, and says of each who is known what it sees", async () => {
    users[3]!["active"] = false;
    await poll.look();
    expect(said()).toEqual([
      ["s1", { isActive: true, groups: { set: ["all", "ops"] } }],
      ["s2", { isActive: true, groups: { set: ["all", "ops"] } }],
      ["s3", { isActive: true, groups: { set: ["all"] } }],
      ["s4", { isActive: false, groups: { set: ["all"] } }],
    ]);
    expect(seen.filter((url) => url.includes("/Users"))).toHaveLength(3);
  });

  it("is asked for changes afterwards, with an overlap; of who did not change only the groups are said", async () => {
    await poll.look();
    said();
    nowMs += 60_000;
    users[0] = { ...users[0], active: false, changed: new Date(nowMs).toISOString() };
    groups[0]!["members"] = [{ value: "s1" }];
    await poll.look();
    expect(seen.some((url) => url.includes(`meta.lastModified gt "${new Date(NOW_MS - 120_000).toISOString()}"`))).toBe(
      true,
    );
    expect(said()).toEqual([
      ["s1", { isActive: false, groups: { set: ["all", "ops"] } }],
      ["s2", { groups: { set: ["all"] } }],
      ["s3", { groups: { set: ["all"] } }],
      ["s4", { groups: { set: ["all"] } }],
    ]);
  });

  it("notices in a whole look who was deleted, and believes no mass departure", async () => {
    users.splice(0, 1);
    await poll.look();
    expect(said()[0]).toEqual(["s1", { isActive: false, groups: { set: [] } }]);
    users = [];
    for (let n = 0; n < 9; n++) await poll.look();
    said();
    await expect(poll.look()).rejects.toThrow("that is no departure");
    expect(said()).toEqual([]);
  });

  it.each<[string, (url: string) => { status: number; text: string } | undefined]>([
    ["does not answer", () => ({ status: 503, text: "" })],
    ["has lost its groups", (url) => (url.includes("/Groups") ? { status: 404, text: "" } : undefined)],
    [
      "ends its list early",
      (url) => (url.includes("startIndex=3") ? { status: 200, text: '{"totalResults":5,"Resources":[]}' } : undefined),
    ],
    [
      "says more than it lists",
      (url) => (url.includes("/Groups") ? { status: 200, text: '{"totalResults":1,"Resources":[{},{}]}' } : undefined),
    ],
    ["answers no JSON", () => ({ status: 200, text: "<html>" })],
    ["answers a key twice", () => ({ status: 200, text: '{"totalResults":0,"totalResults":0,"Resources":[]}' })],
    [
      "lists a user without an id",
      (url) => (url.includes("/Users") ? { status: 200, text: '{"totalResults":1,"Resources":[{}]}' } : undefined),
    ],
  ])("that %s changes nothing", async (_how, how) => {
    break_ = how;
    await expect(poll.look()).rejects.toThrow(/./);
    expect(heard).toEqual([]);
    break_ = null;
    await poll.look();
    expect(heard).toHaveLength(4);
  });

  it("lists a group whose name cannot be one here: the others count", async () => {
    groups.push({ displayName: " x ", members: [{ value: "s1" }] });
    await poll.look();
    expect(said()[0]).toEqual(["s1", { isActive: true, groups: { set: ["all", "ops"] } }]);
  });
});

describe("a request to a configured address", () => {
  let url: string;
  beforeAll(async () => {
    const server = createServer((request, response) => {
      if (request.url === "/moved") response.writeHead(302, { location: "/there" }).end();
      else if (request.url === "/long") {
        response.on("error", () => undefined);
        for (let n = 0; n < 6; n++) response.write("x".repeat(1024 * 1024));
        response.end();
      } else if (request.url === "/cut") {
        response.writeHead(200, { "content-length": "100" });
        response.write("x");
        response.destroy();
      } else response.end("ok");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return () => server.close();
  });

  it("follows no redirect, and takes no answer that is too long or cut off", async () => {
    expect(await sendBounded({ method: "GET", url: `${url}/ok` })).toEqual({ status: 200, text: "ok" });
    expect((await sendBounded({ method: "GET", url: `${url}/moved` })).status).toBe(302);
    await expect(sendBounded({ method: "GET", url: `${url}/long` })).rejects.toThrow("too long");
    await expect(sendBounded({ method: "GET", url: `${url}/cut` })).rejects.toThrow();
  });
});
