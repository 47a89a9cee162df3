/** A command whose reader goes away early ends as if nobody had looked: no stack trace on the terminal. */
import { spawn } from "node:child_process";
import { expect, it } from "vitest";
import { ENTRY } from "./program.ts";

it("is not a fault of the command", async () => {
  const child = spawn(process.execPath, [ENTRY, "completion", "bash"], { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  child.stdout.destroy();
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect([code, stderr]).toEqual([0, ""]);
});
