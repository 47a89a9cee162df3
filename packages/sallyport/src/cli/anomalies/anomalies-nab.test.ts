import { describe, expect, it } from "vitest";
import { capturedIo } from "../../../../../test/captured-io.ts";
import { runCli } from "../program.ts";

async function run(
  ...line: string[]
): Promise<{ readonly exit: number; readonly out: string[]; readonly err: string[] }> {
  const { io, out, err } = capturedIo();
  const exit = await runCli(["anomalies", "nab", ...line], io, () => Promise.reject(new Error("no server is asked")));
  return { exit, out, err };
}

describe("anomalies nab", () => {
  it("prints the three profiles' scores on one line", async () => {
    const { exit, out } = await run("--data", "testdata/nab", "--json");
    expect([exit, out.length]).toEqual([0, 1]);
    expect(JSON.parse(out[0]!)).toEqual({
      standard: expect.any(Number),
      rewardLowFP: expect.any(Number),
      rewardLowFN: expect.any(Number),
    });
  });

  it("says to a person what a value costs", async () => {
    const { exit, out } = await run("--data", "testdata/nab");
    expect([exit, out.at(-1)]).toEqual([0, expect.stringMatching(/^2 files, 2665 values, [\d.]+ us a value$/)]);
    expect(out[1]).toMatch(/^standard +\d/);
  });

  it("scores what the benchmark keeps of a detector", async () => {
    const { exit, out } = await run("--data", "testdata/nab", "--stored", "numenta", "--json");
    expect(exit).toBe(0);
    expect(JSON.parse(out[0]!)).toMatchObject({ detector: "numenta", atKeptThreshold: null, stored: null });
  });

  it.each([
    [["--data", "testdata"], /labels\/combined_windows\.json/],
    [["--data", "testdata/nab", "--stored", "nobody"], /it has contextOSE/],
    [[], /--data/],
  ])("ends with 2 and a reason for %j", async (line, reason) => {
    const { exit, out, err } = await run(...line);
    expect([exit, out]).toEqual([2, []]);
    expect(err.join("\n")).toMatch(reason);
  });
});
