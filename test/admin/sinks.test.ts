/** A sink that lags is told to who administers all: in the state and as a finding, and to nobody else as a finding. */
import { beforeEach, expect, it } from "vitest";
import { AdminClient } from "@sallyport/client";
import { everything } from "../program-under-test.ts";
import { MemoryGateway, POLICY } from "./memory-ports.ts";

const fine = { name: "disk", type: "file", lagRecords: 0, lagSeconds: 0, sent: 5, deadLettered: 0, failures: 0, trouble: null }; // prettier-ignore
let gateway: MemoryGateway;
let client: AdminClient;
beforeEach(async () => {
  gateway = new MemoryGateway();
  client = new AdminClient({ handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }) });
  await client.call("policy.apply", { body: { text: POLICY } });
});

const findings = async () => (await client.call("findings")).findings.filter(({ code }) => code === "sink_behind");

it("is no finding while it keeps up", async () => {
  gateway.sinks = [fine, { ...fine, name: "late", lagRecords: 9, lagSeconds: 299.6, trouble: "status 503" }];
  expect(await findings()).toEqual([]);
  expect((await client.call("status")).sinks).toMatchObject([{ name: "disk" }, { lagSeconds: 300 }]);
});

it("is one when it is minutes behind, or refused something for good", async () => {
  gateway.sinks = [
    { ...fine, lagRecords: 4_711, lagSeconds: 3_600, trouble: "status 503" },
    { ...fine, name: "siem", deadLettered: 2 },
  ];
  expect((await findings()).map(({ says }) => says)).toEqual([
    "the sink disk is 4711 records and 3600 s behind: status 503",
    "the sink siem rejected 2 records for good",
  ]);
  const key = gateway.adminKey({ ...everything, environments: ["dev"] }, null);
  const answer = await gateway.app.handle(
    new Request("http://localhost/v1/findings", { headers: { authorization: `Bearer ${key}` } }),
    { kind: "tcp" },
  );
  expect(JSON.stringify(await answer.json())).not.toContain("sink_behind");
});
