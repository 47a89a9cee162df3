/** Sessions of the console: how they begin, what they may do, what ends them, and who cannot use them. */
import { AdminClient } from "@sallyport/client";
import { beforeEach, describe, expect, test } from "vitest";
import { everything } from "../program-under-test.ts";
import type { AdminRight } from "../program-under-test.ts";
import { DAY_MS, MemoryGateway, POLICY } from "./memory-ports.ts";

const MINUTE_MS = 60_000;
const reader: AdminRight = { permissions: ["status:read", "keys:read"], environments: ["dev"], mayGrant: null };

let gateway: MemoryGateway;
const root = (): AdminClient =>
  new AdminClient({ handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }) });

beforeEach(async () => {
  gateway = new MemoryGateway();
  await root().call("policy.apply", { body: { text: POLICY } });
});

interface Browser {
  readonly token: string;
  readonly cookie: string;
  readonly address: string;
}

/** What the tests read of an answer's JSON. */
interface SaidBody {
  readonly code: string;
  readonly token: string;
  readonly sessions: readonly { readonly id: string }[];
}
interface Said {
  readonly status: number;
  readonly body: SaidBody;
  readonly headers: Headers;
}

async function ask(
  method: string,
  path: string,
  { browser, headers = {}, body }: { browser?: Partial<Browser>; headers?: Record<string, string>; body?: object } = {},
): Promise<Said> {
  const said = {
    ...(browser?.token !== undefined && { "x-sallyport-console": browser.token }),
    ...(browser?.cookie !== undefined && { cookie: `sallyport_console=${browser.cookie}` }),
    ...(body && { "content-type": "application/json" }),
    ...headers,
  };
  const request = new Request(`http://gateway${path}`, {
    method,
    headers: said,
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = await gateway.app.handle(request, { kind: "tcp", address: browser?.address ?? "127.0.0.1" });
  const text = await answer.text();
  return {
    status: answer.status,
    body: JSON.parse(text) as SaidBody,
    headers: answer.headers,
  };
}

async function linkOf(client: AdminClient): Promise<string> {
  const { url } = await client.call("openConsole", {});
  expect(url).toMatch(/#link=[0-9A-Za-z]{43}$/);
  return url.split("#link=")[1]!;
}

async function enter(link: string, address = "127.0.0.1"): Promise<Browser> {
  const { status, body, headers } = await ask("POST", "/console/session", {
    browser: { address },
    body: { link },
  });
  expect(status).toBe(201);
  const set = headers.get("set-cookie")!;
  expect(set).toMatch(/^sallyport_console=[0-9A-Za-z]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  return { token: body.token, cookie: /=([^;]*)/.exec(set)![1]!, address };
}

function clientWith(key: string): AdminClient {
  return new AdminClient({
    handle: (request) => {
      request.headers.set("authorization", `Bearer ${key}`);
      return gateway.app.handle(request, { kind: "tcp", address: "127.0.0.1" });
    },
  });
}

const codeAt = async (browser: Partial<Browser>, headers: Record<string, string> = {}): Promise<string> => {
  const { status, body } = await ask("GET", "/v1/status", { browser, headers });
  return status === 200 ? "done" : body.code;
};

describe("a link", () => {
  test("opens the console once, within five minutes", async () => {
    const link = await linkOf(root());
    const browser = await enter(link);
    expect(await codeAt(browser)).toBe("done");
    expect((await ask("POST", "/console/session", { body: { link } })).body.code).toBe("console_link_unknown");
    const late = await linkOf(root());
    gateway.nowMs += 5 * MINUTE_MS;
    expect((await ask("POST", "/console/session", { body: { link: late } })).status).toBe(403);
  });

  test.each([{}, { link: "" }, { link: "x".repeat(43) }, { link: 5 }, { link: "a", more: 1 }])(
    "that is %j opens nothing",
    async (body) => {
      const { status, headers } = await ask("POST", "/console/session", { body });
      expect([403, 422]).toContain(status);
      expect(headers.get("set-cookie")).toBeNull();
    },
  );

  test("that was used already is recorded when it is tried again, and no more is read than a link needs", async () => {
    const link = await linkOf(root());
    await enter(link);
    await ask("POST", "/console/session", { body: { link } });
    const { fields, actor } = gateway.events.findLast(({ type }) => type === "admin.refused")!;
    expect([actor, fields["code"], fields["address"]]).toEqual([
      "unauthenticated",
      "console_link_unknown",
      "127.0.0.1",
    ]);
    const long = await ask("POST", "/console/session", { body: { link: "x".repeat(2_000) } });
    expect([long.status, long.body.code]).toEqual([413, "body_too_large"]);
  });

  test("is not made from a session, which would so make itself longer", async () => {
    const browser = await enter(await linkOf(root()));
    const { status, body } = await ask("POST", "/v1/console/links", { browser });
    expect([status, body.code]).toEqual([403, "permission_denied"]);
  });

  test("and the session it opened are in the audit log, and their secrets are not", async () => {
    const link = await linkOf(root());
    const browser = await enter(link);
    await ask("DELETE", "/console/session", { browser });
    const types = gateway.events.map(({ type }) => type).filter((type) => type.startsWith("console."));
    expect(types).toEqual(["console.link_made", "console.opened", "console.closed"]);
    expect(gateway.events.filter(({ type }) => type.startsWith("console.")).map(({ actor }) => actor)).toEqual(
      Array.from({ length: 3 }, () => "os:root"),
    );
    const text = JSON.stringify(gateway.events);
    for (const secret of [link, browser.cookie, browser.token]) expect(text).not.toContain(secret);
  });

  test("opens nothing where the session cannot be recorded", async () => {
    const link = await linkOf(root());
    gateway.changesLeft = 0;
    const { status, headers } = await ask("POST", "/console/session", { body: { link } });
    expect([status, headers.get("set-cookie")]).toEqual([503, null]);
    expect(gateway.ports.console.of("os:root")).toEqual([]);
  });
});

describe("a session", () => {
  test("needs both of its secrets, each once, and no page of another origin", async () => {
    const browser = await enter(await linkOf(root()));
    const other = await enter(await linkOf(root()));
    expect(await codeAt({ cookie: browser.cookie })).toBe("credential_missing");
    expect(await codeAt({ token: browser.token })).toBe("credential_missing");
    expect(await codeAt({ cookie: browser.cookie, token: other.token })).toBe("console_session_ended");
    const twice = { cookie: `sallyport_console=${browser.cookie}; sallyport_console=${other.cookie}` };
    expect(await codeAt({ token: browser.token }, twice)).toBe("credential_missing");
    for (const site of ["cross-site", "same-site", "none"])
      expect(await codeAt(browser, { "sec-fetch-site": site })).toBe("credential_missing");
    expect(await codeAt(browser, { "sec-fetch-site": "same-origin" })).toBe("done");
    // A credential that is sent beside it is what counts.
    expect(await codeAt(browser, { authorization: "Bearer nonsense" })).toBe("credential_malformed");
  });

  test("has the rights of the key that opened it, as they are now, and ends with it", async () => {
    const key = gateway.adminKey(reader);
    const browser = await enter(await linkOf(clientWith(key)));
    const { body } = await ask("GET", "/console/session", { browser });
    expect(body).toMatchObject({ permissions: ["status:read", "keys:read"], environments: ["dev"] });
    expect((await ask("GET", "/v1/policy", { browser })).body.code).toBe("permission_denied");
    expect((await ask("GET", "/v1/keys?environment=prod", { browser })).body.code).toBe("permission_denied");
    const id = key.split("_")[2]!;
    await root().call("adminKeys.revoke", { params: { id } });
    expect(await codeAt(browser)).toBe("key_revoked");
    expect(await codeAt(browser)).toBe("console_session_ended");
  });

  test("ends with the life of the key, when it is idle, and after twelve hours", async () => {
    const short = await enter(await linkOf(clientWith(gateway.adminKey(reader, gateway.nowMs + 10 * MINUTE_MS))));
    const idle = await enter(await linkOf(root()));
    const used = await enter(await linkOf(root()));
    gateway.nowMs += 10 * MINUTE_MS;
    expect(await codeAt(short)).toBe("key_expired");
    gateway.nowMs += 19 * MINUTE_MS;
    expect(await codeAt(used)).toBe("done");
    gateway.nowMs += MINUTE_MS;
    expect(await codeAt(idle)).toBe("console_session_ended");
    for (let i = 0; i < 100; i++) {
      gateway.nowMs += 20 * MINUTE_MS;
      if ((await codeAt(used)) !== "done") break;
    }
    expect(gateway.nowMs).toBeLessThan(gateway.ports.clock.now() + DAY_MS);
    expect(await codeAt(used)).toBe("console_session_ended");
  });

  test("is not kept alive by a stream of live events, which ends with it", async () => {
    const browser = await enter(await linkOf(root()));
    gateway.nowMs += 29 * MINUTE_MS;
    const request = new Request("http://gateway/v1/events", {
      headers: { "x-sallyport-console": browser.token, cookie: `sallyport_console=${browser.cookie}` },
    });
    const stream = await gateway.app.handle(request, { kind: "tcp", address: "127.0.0.1" });
    expect(stream.status).toBe(200);
    gateway.nowMs += MINUTE_MS;
    expect(await stream.text()).toContain("console_session_ended");
    expect(await codeAt(browser)).toBe("console_session_ended");
  });

  test("is bound to its network: a stolen one ends at its first use", async () => {
    const browser = await enter(await linkOf(root()), "192.0.2.7");
    expect(await codeAt({ ...browser, address: "192.0.2.99" })).toBe("done");
    expect(await codeAt({ ...browser, address: "203.0.113.5" })).toBe("console_session_ended");
    expect(await codeAt(browser)).toBe("console_session_ended");
  });

  test("cannot do what only the user on the gateway host may", async () => {
    const browser = await enter(await linkOf(root()));
    expect((await ask("POST", "/v1/usage/rebuild", { browser })).body.code).toBe("permission_denied");
  });

  test("lists and ends sessions of its own holder, and of no one else", async () => {
    const [first, second] = [await enter(await linkOf(root())), await enter(await linkOf(root()))];
    const stranger = await enter(await linkOf(clientWith(gateway.adminKey(everything))));
    const { body } = await ask("GET", "/console/session", { browser: second });
    const ids = body.sessions.map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect((await ask("DELETE", `/console/sessions/${ids[0]!}`, { browser: stranger })).status).toBe(404);
    expect((await ask("DELETE", `/console/sessions/${ids[0]!}`, { browser: second })).status).toBe(200);
    expect([await codeAt(first), await codeAt(second)]).toEqual(["console_session_ended", "done"]);
    const ended = await ask("DELETE", "/console/session", { browser: second });
    expect(ended.headers.get("set-cookie")).toContain("Max-Age=0");
    expect(await codeAt(second)).toBe("console_session_ended");
  });

  test("of one holder makes room for its own next one, and takes none from others", async () => {
    const stranger = await enter(await linkOf(clientWith(gateway.adminKey(everything))));
    const browsers: Browser[] = [];
    for (let i = 0; i < 20; i++) browsers.push(await enter(await linkOf(root())));
    const codes: string[] = [];
    for (const browser of browsers) codes.push(await codeAt(browser));
    expect(codes.filter((code) => code === "done")).toHaveLength(8);
    expect(codes.slice(-8).every((code) => code === "done")).toBe(true);
    expect(await codeAt(stranger)).toBe("done");
  });
});

test("links of one holder do not drive out those of another", async () => {
  const link = await linkOf(clientWith(gateway.adminKey(reader)));
  const flooder = clientWith(gateway.adminKey(reader));
  for (let i = 0; i < 200; i++) await linkOf(flooder);
  await enter(link);
});
