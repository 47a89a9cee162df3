/** The stream of live events of a whole gateway: who sees what, what ends it, and how many there may be. */
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }], stream: false };

beforeAll(async () => {
  gateway = await startGateway({ environments: ["dev", "prod"] });
}, 60_000);
afterAll(async () => gateway.stop());

interface Event {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, never> & {
    readonly version?: string;
    readonly requests?: readonly { readonly key: string; readonly outcome: string; readonly code: string | null }[];
    readonly kinds?: readonly string[];
    readonly code?: string;
  };
}

interface Open {
  readonly status: number;
  /** The next event of that name, whatever comes before. */
  next(event: string): Promise<Event>;
  close(): Promise<void>;
}

async function open(headers: Record<string, string>): Promise<Open> {
  const stop = new AbortController();
  const answer = await fetch(`${gateway.gateway.adminUrl}/v1/events`, { headers, signal: stop.signal });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  return {
    status: answer.status,
    async next(wanted) {
      for (;;) {
        const end = held.indexOf("\n\n");
        if (end < 0) {
          const { value, done } = await reader.read();
          if (done) throw new Error(`the stream ended before ${wanted}`);
          held += value;
          continue;
        }
        const lines = held.slice(0, end).split("\n");
        held = held.slice(end + 2);
        const { id, event, data } = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2)));
        if (event === wanted) return { id, event, data: JSON.parse(data as string) } as Event;
      }
    },
    async close() {
      await reader.cancel().catch(() => undefined);
      stop.abort();
    },
  };
}

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
interface AdminKey {
  readonly id: string;
  readonly key: string;
}
const viewer = (): Promise<AdminKey> =>
  gateway.admin<AdminKey>("POST", "/v1/admin-keys", { name: `v ${Math.random()}`, role: "viewer", environments: ["dev"] }); // prettier-ignore
const use = async ({ key }: IssuedKey): Promise<number> => (await gateway.post("/api/chat", key, chat)).status;

/** As a browser does. */
async function session(key: string): Promise<Record<string, string>> {
  const { url } = await gateway.admin<{ url: string }>("POST", "/v1/console/links", undefined, key);
  const answer = await fetch(`${gateway.gateway.adminUrl}/console/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ link: url.split("#link=")[1] }),
  });
  const { token } = (await answer.json()) as { token: string };
  return { cookie: answer.headers.get("set-cookie")!.split(";")[0]!, "x-sallyport-console": token };
}

test("a reader of one environment sees its requests and changes, and goes on after its last", async () => {
  const mine = await viewer();
  const dev = await gateway.issue({ environment: "dev" });
  const other = await gateway.issue({ environment: "dev" });
  const prod = await gateway.issue({ environment: "prod" });
  const stream = await open(bearer(mine.key));
  expect((await stream.next("hello")).data.version).toMatch(/^[0-9]/);
  expect([await use(prod), await use(dev)]).toEqual([200, 200]);
  const first = await stream.next("requests");
  expect(first.data.requests!.map(({ key, outcome }) => [key, outcome])).toEqual([[dev.id, "served"]]);
  await gateway.admin("POST", `/v1/keys/${prod.id}/revoke`);
  await gateway.admin("POST", `/v1/keys/${other.id}/revoke`);
  while (!(await stream.next("changed")).data.kinds!.includes("keys"));
  await stream.close();
  expect((await gateway.post("/api/chat", dev.key, { ...chat, model: "qwen3" })).status).toBe(403);
  const again = await open({ ...bearer(mine.key), "last-event-id": first.id });
  expect((await again.next("requests")).data.requests!.at(-1)).toMatchObject({ key: dev.id, code: "model_denied" });
  await again.close();
});

test("it ends with the session and with the right, and keeps neither alive", async () => {
  const mine = await viewer();
  const headers = await session(mine.key);
  const [stream, other] = [await open(headers), await open(bearer(mine.key))];
  await stream.next("hello");
  await other.next("hello");
  const shown = async (): Promise<string> => {
    const answer = await fetch(`${gateway.gateway.adminUrl}/console/session`, { headers });
    return ((await answer.json()) as { session: { usedAt: string } }).session.usedAt;
  };
  expect(await shown()).toBeTruthy();
  await fetch(`${gateway.gateway.adminUrl}/console/session`, { method: "DELETE", headers });
  expect((await stream.next("end")).data.code).toBe("console_session_ended");
  await gateway.admin("POST", `/v1/admin-keys/${mine.id}/revoke`);
  expect((await other.next("end")).data.code).toBe("key_revoked");
  expect((await open(headers)).status).toBe(401);
});

test("an administrator of its environment ends a running request, which is on record", async () => {
  const issued = await gateway.issue();
  const upstreamClosed = new Promise<void>((resolve) => {
    gateway.upstream().intercept = (_seen, response: ServerResponse) => {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.write('{"model":"m","created_at":"x","message":{"role":"assistant","content":"a"},"done":false}\n');
      response.on("close", resolve);
      return true;
    };
  });
  const answer = await gateway.post("/api/chat", issued.key, { ...chat, stream: true });
  const rest = answer.text();
  interface Activity {
    readonly environments: readonly { readonly requests: readonly { readonly id: string; readonly key: string }[] }[];
  }
  const { environments } = await gateway.admin<Activity>("GET", "/v1/activity");
  const { id } = environments.flatMap(({ requests }) => requests).find(({ key }) => key === issued.id)!;
  const end = (key?: string): Promise<object> => gateway.admin("POST", `/v1/requests/${id}/end`, undefined, key);
  const stranger = { name: "stranger", role: "admin", environments: ["prod"] };
  const { key } = await gateway.admin<AdminKey>("POST", "/v1/admin-keys", stranger);
  await expect(end(key)).rejects.toThrow(/^404/);
  await expect(end((await viewer()).key)).rejects.toThrow(/^403/);
  expect(await end()).toMatchObject({ key: issued.id, isEnded: true });
  expect(await rest).toContain("request_ended");
  await upstreamClosed;
  gateway.upstream().intercept = undefined;
  const { records } = await gateway.admin<{ records: { fields: object }[] }>("GET", "/v1/audit?type=request.ended");
  expect(records.map(({ fields }) => fields)).toEqual([expect.objectContaining({ request: id, key: issued.id })]);
  await expect(end()).rejects.toThrow(/^404/);
});

test("a caller has so many streams, and another still gets one", async () => {
  const [greedy, other] = [await viewer(), await viewer()];
  const streams: Open[] = [];
  for (let n = 0; n < 16; n++) streams.push(await open(bearer(greedy.key)));
  expect(streams.map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 200));
  expect((await open(bearer(greedy.key))).status).toBe(429);
  const late = await open(bearer(other.key));
  expect(late.status).toBe(200);
  for (const stream of [...streams, late]) await stream.close();
});

test("what is not a reader is refused", async () => {
  const url = `${gateway.gateway.adminUrl}/v1/events`;
  const headers = bearer(gateway.adminKey);
  expect((await fetch(url)).status).toBe(401);
  expect((await fetch(`${url}?environment=dev`, { headers })).status).toBe(400);
  for (const id of ["x", "12345678-", "12345678-1e9", `${"a".repeat(9_000)}-1`])
    expect([400, 422, 431]).toContain((await fetch(url, { headers: { ...headers, "last-event-id": id } })).status);
  expect((await fetch(url, { headers, method: "POST" })).status).toBe(405);
});

test("it ends with a word when the gateway stops, and a stale id is said to be stale", async () => {
  const stream = await open(bearer(gateway.adminKey));
  const hello = await stream.next("hello");
  const ended = stream.next("end");
  await gateway.restart();
  expect((await ended).data.code).toBe("stopping");
  const again = await open({ ...bearer(gateway.adminKey), "last-event-id": hello.id });
  await again.next("reset");
  await again.close();
});
