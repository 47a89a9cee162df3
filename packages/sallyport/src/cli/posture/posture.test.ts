import { expect, it } from "vitest";
import type { FindingView } from "@sallyport/contract";
import { Problem } from "@sallyport/protocol";
import { capturedIo } from "../../../../../test/captured-io.ts";
import { runCli } from "../program.ts";

const finding = (part: Partial<FindingView>): FindingView => ({
  code: "key_unused", severity: "medium", state: "note", status: "open", environment: "dev", subject: "key:k",
  says: "it was not used", evidence: [], remedy: "sallyport keys revoke k", owner: null, firstSeen: null, accepted: null, ...part,
}); // prettier-ignore

interface Asked {
  readonly name: string;
  readonly input: { readonly body?: object; readonly query?: { readonly after?: string; readonly status?: string } };
}

/** A server with these findings, one a page. */
async function run(words: readonly string[], findings: readonly FindingView[], denied: readonly string[] = []) {
  const { io, out, err } = capturedIo();
  const asked: Asked[] = [];
  const call = async (name: string, input: Asked["input"] = {}): Promise<unknown> => {
    asked.push({ name, input });
    if (denied.includes(name)) throw new Problem("permission_denied");
    if (name === "findings.accept") return { ...finding({}), status: "accepted" };
    if (name === "anomalies.list") return { alerts: [alert("a", true), alert("b", false)] };
    if (name === "activity") return { environments: [] };
    const some = findings.filter(({ status }) => status === (input.query?.status ?? status));
    const at = Number(input.query?.after ?? 0);
    return { findings: some.slice(at, at + 1), next: at + 1 < some.length ? String(at + 1) : null };
  };
  const connect = async () => ({
    client: { call, tail: () => undefined, close: () => undefined },
    kind: "local",
    close: async () => undefined,
  });
  const exit = await runCli(words, io, connect as never);
  return { exit, out: out.join("\n"), err: err.join("\n"), asked };
}

function alert(id: string, isAnswered: boolean) {
  return { alert: `dev/k/${id}/1`, environment: "dev", says: `alert ${id}`, held: null, activeUntil: null, isAnswered };
}

it.each<[string, Partial<FindingView>, number]>([
  ["a high one", { severity: "high" }, 1],
  ["a critical one", { severity: "critical" }, 1],
  ["a medium one", { severity: "medium" }, 0],
  ["an accepted high one", { severity: "high", status: "accepted" }, 0],
  ["a fixed high one", { severity: "high", status: "fixed" }, 0],
])("exit code with %s", async (_what, part, exit) => {
  expect((await run(["posture"], [finding(part)])).exit).toBe(exit);
  expect((await run(["posture", "--json"], [finding({}), finding(part)])).exit).toBe(exit);
});

it("JSON has the open findings of all pages; --all has the others, too", async () => {
  const all = [finding({}), finding({ subject: "key:l" }), finding({ subject: "key:m", status: "accepted" })];
  const read = async (...more: string[]) => JSON.parse((await run(["posture", "--json", ...more], all)).out) as { findings: FindingView[] }; // prettier-ignore
  expect((await read()).findings).toEqual(all.slice(0, 2));
  expect((await read("--all")).findings).toEqual(all);
});

it("accept sends code, subject, a time and the reason; what it does not know is a mistake of usage", async () => {
  const words = ["posture", "accept", "key_unused", "key:k", "--until", "2099-01-31", "--reason", "r", "--env", "dev"];
  const { asked, exit } = await run(words, []);
  expect(exit).toBe(0);
  expect(asked).toEqual([
    {
      name: "findings.accept",
      input: { body: { code: "key_unused", subject: "key:k", environment: "dev", until: "2099-01-31T00:00:00.000Z", reason: "r" } },
    },
  ]); // prettier-ignore
  expect((await run(["posture", "accept", "constructor", "key:k", "--until", "1d", "--reason", "r"], [])).exit).toBe(2);
  expect((await run(["posture", "accept", "key_unused", "key:k", "--until", "soon", "--reason", "r"], [])).exit).toBe(
    2,
  );
  expect((await run(["posture", "reopen", "key_unused", "key:k", "--all"], [])).exit).toBe(2);
  expect((await run(["posture", "--json", "--sarif"], [])).exit).toBe(2);
  expect((await run(["access", "list", "--json", "--csv"], [])).exit).toBe(2);
});

it("access as of a past time is rejected, and no server is asked", async () => {
  const { exit, asked, err } = await run(["access", "list", "--as-of", "2026-01-01"], []);
  expect([exit, asked]).toEqual([2, []]);
  expect(err).toContain("not available");
});

it("today has five things at most, worst first; many findings of a kind are one thing, and answered alerts are none", async () => {
  const many = Array.from({ length: 30 }, (_, n) => finding({ subject: `key:${n}` }));
  const others = ["a", "b", "c", "d", "e"].map((environment) => finding({ environment, severity: "low" }));
  const { out } = await run(
    ["today", "--json"],
    [...others, ...many, finding({ severity: "critical", says: "worst" })],
  );
  const { tasks, more } = JSON.parse(out) as {
    tasks: { says: string; command: string; count: number }[];
    more: number;
  };
  expect(tasks).toHaveLength(5);
  expect(more).toBe(3);
  expect(tasks[0]?.says).toBe("worst");
  expect(tasks[1]).toMatchObject({ count: 30, command: "sallyport posture --env dev" });
  expect(tasks[2]).toMatchObject({ says: "alert b", command: expect.stringContaining("anomalies respond dev/k/b/1") });
});

it("today without a permission shows the rest and names what is missing", async () => {
  const { exit, out, err } = await run(["today"], [finding({})], ["anomalies.list"]);
  expect(exit).toBe(0);
  expect(out).toContain("it was not used");
  expect(err).toContain("alerts");
});
