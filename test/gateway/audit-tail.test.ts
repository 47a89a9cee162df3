/** The ledger as it comes: filtered, resumed without a gap, ended with the reader's right; and reading is on record. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { AdminClient, TailEnded } from "@sallyport/client";
import { join } from "node:path";
import type { AuditRecordView } from "@sallyport/contract";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
const clients: AdminClient[] = [];
beforeAll(async () => {
  gateway = await startGateway({ environments: ["dev", "prod"] });
});
afterAll(async () => {
  for (const client of clients) await client.close();
  await gateway.stop();
});

function client(key = gateway.adminKey): AdminClient {
  const made = new AdminClient({ url: gateway.gateway.adminUrl, key });
  clients.push(made);
  return made;
}

async function take(records: AsyncGenerator<AuditRecordView>, count: number): Promise<AuditRecordView[]> {
  const taken: AuditRecordView[] = [];
  for (let i = 0; i < count; i++) taken.push((await records.next()).value as AuditRecordView);
  return taken;
}

const newest = async (): Promise<number> =>
  (await gateway.admin<{ records: { seq: number }[] }>("GET", "/v1/audit?limit=1")).records[0]!.seq;

it("sends what fits the filter, in order, each once, and goes on after the last", async () => {
  const after = await newest();
  const tail = client().tail({ type: "key.issued", environment: "dev", after });
  const ids = [(await gateway.issue()).id, (await gateway.issue()).id];
  await gateway.issue({ environment: "prod" });
  const first = await take(tail, 2);
  expect(first.map(({ fields }) => fields["key"])).toEqual(ids);
  await tail.return(undefined);
  const missed = (await gateway.issue()).id;
  const again = client().tail({ type: "key.issued", environment: "dev", after: first[1]!.seq });
  expect((await take(again, 1))[0]!.fields["key"]).toBe(missed);
  const next = again.next();
  const live = (await gateway.issue()).id;
  expect((await next).value!.fields["key"]).toBe(live);
  await again.return(undefined);
});

it("over the socket beside the server, too", async () => {
  const local = new AdminClient({ socketPath: join(gateway.directory, "admin.sock") });
  clients.push(local);
  const tail = local.tail({ type: "key.issued", after: await newest() });
  const { id } = await gateway.issue();
  expect((await take(tail, 1))[0]!.fields["key"]).toBe(id);
  await tail.return(undefined);
});

interface AdminKey {
  readonly id: string;
  readonly key: string;
}

const reader = (environments: readonly string[]): Promise<AdminKey> =>
  gateway.admin<AdminKey>("POST", "/v1/admin-keys", { name: `r ${Math.random()}`, role: "viewer", environments });

it("shows a reader only the environments he administers, and ends when his key does", async () => {
  const dev = await reader(["dev"]);
  const tail = client(dev.key).tail({ type: "key.issued", after: await newest() });
  await gateway.issue({ environment: "prod" });
  const mine = await gateway.issue();
  expect((await take(tail, 1))[0]!.fields["key"]).toBe(mine.id);
  await expect(client(dev.key).tail({ environment: "prod" }).next()).rejects.toMatchObject({
    code: "permission_denied",
  });
  const next = tail.next();
  await gateway.admin("POST", `/v1/admin-keys/${dev.id}/revoke`);
  await expect(next).rejects.toBeInstanceOf(TailEnded);
  await expect(tail.next()).resolves.toMatchObject({ done: true });
});

it("is refused without the permission, with an unknown question, and without a credential", async () => {
  const url = `${gateway.gateway.adminUrl}/v1/audit/tail`;
  const headers = { authorization: `Bearer ${gateway.adminKey}` };
  expect((await fetch(url)).status).toBe(401);
  expect((await fetch(`${url}?nonsense=1`, { headers })).status).toBe(400);
  expect((await fetch(url, { headers: { ...headers, "last-event-id": "x" } })).status).toBe(422);
  expect((await fetch(url, { headers, method: "POST" })).status).toBe(405);
});

it("who reads is on record: a search once a minute and filter, a tail when it begins and ends", async () => {
  const after = await newest();
  const mine = await reader(["dev"]);
  const own = client(mine.key);
  for (let i = 0; i < 5; i++)
    await own.call("audit.search", { query: { environment: "dev", limit: 1, before: 100 - i } });
  await own.call("audit.search", { query: { environment: "dev", code: "model_denied" } });
  const tail = own.tail({ environment: "dev", after });
  const pending = tail.next();
  await gateway.issue();
  await pending;
  await tail.return(undefined);
  const records = client().tail({ type: "audit.read", actor: `key:${mine.id}`, after });
  const said = (await take(records, 4)).map(({ environment, fields: { how, filter, reads, records: count } }) => [
    environment,
    how,
    filter,
    reads,
    count,
  ]);
  await records.return(undefined);
  expect(said).toEqual([
    ["dev", "search", "environment=dev", 1, 1],
    ["dev", "search", "code=model_denied environment=dev", 1, 0],
    ["dev", "tail", "environment=dev", 1, 0],
    ["dev", "tail", "environment=dev", 1, expect.any(Number)],
  ]);
});

it("ends with a word when the gateway stops, and the counted reads are written", async () => {
  const after = await newest();
  await client().call("audit.search", { query: { model: "m" } });
  await client().call("audit.search", { query: { model: "m" } });
  const tail = client().tail({ type: "person.invited", after });
  const next = tail.next();
  next.catch(() => undefined);
  // Its beginning is on record before its first byte.
  const seen = client().tail({ type: "audit.read", after });
  await take(seen, 2);
  await seen.return(undefined);
  await gateway.restart();
  await expect(next).rejects.toMatchObject({ code: "stopping" });
  const { records } = await gateway.admin<{ records: { fields: Record<string, unknown> }[] }>(
    "GET",
    `/v1/audit?type=audit.read&after=${after}&order=oldest`,
  );
  const reads = records.filter(({ fields }) => fields["filter"] === "model=m").map(({ fields }) => fields["reads"]);
  expect(reads).toEqual([1, 1]);
});

it("tails that were pipelined on a connection that closed leave room for others", async () => {
  const { hostname, port } = new URL(gateway.gateway.adminUrl);
  const request = `GET /v1/audit/tail HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${gateway.adminKey}\r\n\r\n`;
  for (let n = 0; n < 3; n++) {
    const socket = connect(Number(port), hostname);
    socket.write(request.repeat(40));
    await once(socket, "data");
    // Whatever would run beside the first has begun by now.
    await newest();
    socket.destroy();
  }
  for (;;) {
    const answer = await fetch(`${gateway.gateway.adminUrl}/v1/audit/tail`, {
      headers: { authorization: `Bearer ${gateway.adminKey}` },
    });
    await answer.body?.cancel();
    if (answer.status === 200) break;
  }
});
