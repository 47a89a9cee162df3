// Runs one test at a time in a copy of the tree, in a process of its own: `node test-runner.js`, in the copy. Vitest stays
// loaded between the tests; each test still runs in a new process. Asked `{ test, named, edits: [{ path, text }], limits }`,
// it makes the edits, runs the file `test` (where there is `named`: only the tests with that in their names), puts the files
// back and answers with what `outcomeOf` says.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createVitest } from "vitest/node";
import { outcomeOf } from "./test-outcome.js";

const vitest = await createVitest("test", {
  root: process.cwd(),
  watch: false,
  bail: 1,
  maxWorkers: 1,
  reporters: [{}],
});
await vitest.standalone();

/** Writes files, and has Vitest forget what it read of them. */
function put(files) {
  for (const { path, text } of files) {
    writeFileSync(path, text);
    vitest.invalidateFile(join(process.cwd(), path));
  }
}

async function runTest(test, named = "", edits = []) {
  const specifications = await vitest.globTestSpecifications([join(process.cwd(), test)]);
  if (specifications.length === 0) return { result: "not run", detail: `there is no ${test}` };
  // Vitest remembers the results of earlier runs and returns them with those of this one.
  vitest.state.filesMap.clear();
  vitest.state.idMap.clear();
  vitest.setGlobalTestNamePattern(named.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  return outcomeOf(
    testModules,
    unhandledErrors,
    edits.map(({ path }) => path),
  );
}

async function runEdited({ test, named, edits, limits: { testMs, hookMs } }) {
  for (const { config } of vitest.projects) Object.assign(config, { testTimeout: testMs, hookTimeout: hookMs });
  const before = edits.map(({ path }) => ({ path, text: readFileSync(path, "utf8") }));
  put(edits);
  const outcome = await runTest(test, named, edits);
  put(before);
  process.send(outcome);
}

// What fails here is no test: the process ends, and whoever started it says so.
process.on("message", (asked) => void runEdited(asked));
process.on("disconnect", () => process.exit());
process.send({ result: "ready" });
