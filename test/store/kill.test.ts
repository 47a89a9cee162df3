import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { openLedgerReader } from "../program-under-test.ts";
import { makeDirectory, open } from "./store-fixture.ts";

const program = fileURLToPath(new URL("./kill-writer.js", import.meta.url));

/** Runs the writing process until it has acknowledged `enough` things, then kills it. Says what it acknowledged. */
function runAndKill(directory: string, round: number, enough: number, requestDays = 3_650): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, directory, String(round), String(requestDays)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (text: string) => {
      said += text;
      if (said.split("\n").length > enough) child.kill("SIGKILL");
    });
    child.on("error", reject);
    // The last line may have been cut by the kill: it was not heard, so it was not acknowledged.
    child.on("close", () => resolve(said.split("\n").slice(0, -1)));
  });
}

it(
  "twenty kills lose nothing that was acknowledged, and the ledger verifies after each",
  { timeout: 120_000 },
  async () => {
    const directory = makeDirectory();
    const heard: string[] = [];
    for (let round = 0; round < 20; round++) {
      // Another number of acknowledgements each time, so that the kill meets commits and rotations at other moments.
      const said = await runAndKill(directory, round, 30 + ((round * 97) % 400));
      expect(said.filter((text) => text.startsWith("trouble"))).toEqual([]);
      expect(said.length).toBeGreaterThan(20);
      heard.push(...said);
      const log = openLedgerReader(directory);
      expect(await log.verify()).toMatchObject({ ok: true });
      log.close();
    }
    const { store } = await open({ directory });
    const log = openLedgerReader(directory);
    const marks = new Set((await log.search({ order: "oldest", limit: 1e9 })).map(({ fields }) => fields["mark"]));
    log.close();
    const lost = heard.filter((text) => {
      const [kind, name = ""] = text.split(" ");
      return kind === "key" ? !store.reader.key("dev", name) || !marks.has(name.replace(/^x+/, "")) : !marks.has(name);
    });
    expect(lost).toEqual([]);
  },
);

it("kills while requests end lose no act, and the ledger verifies after each", { timeout: 120_000 }, async () => {
  const directory = makeDirectory();
  const heard: string[] = [];
  let ended = 0;
  for (let round = 0; round < 12; round++) {
    // Whatever is older than tomorrow ends, beside the commits.
    const said = await runAndKill(directory, round, 40 + ((round * 61) % 200), -1);
    expect(said.filter((text) => text.startsWith("trouble"))).toEqual([]);
    heard.push(...said.filter((text) => text.startsWith("key")));
    const log = openLedgerReader(directory);
    const verdict = await log.verify();
    expect(verdict).toMatchObject({ ok: true });
    ended = Number(/what was in (\d+) records/.exec(verdict.cannotShow.join())?.[1] ?? 0);
    log.close();
  }
  expect(ended).toBeGreaterThan(500);
  const log = openLedgerReader(directory);
  const acts = await log.search({ type: "key.issued", order: "oldest", limit: 1e9 });
  log.close();
  const marks = new Set(acts.map(({ fields }) => `key ${String(fields["mark"]).padStart(12, "x")}`));
  expect(heard.filter((text) => !marks.has(text))).toEqual([]);
});
