// What a run of a test shows. A test that failed is told apart from a file that could not be loaded and from a hook that
// failed before any test: these two say nothing about a rule.

/**
 * @returns `{ result, detail, isTimeout }`: "passed", "failed" (at least one test ran and failed; detail is the first
 * of them and its failure, isTimeout whether nothing but time-outs failed) or "not run" (detail is why: so it is where a slip in one of the `edited` files made the test fail). What passed has `slowestMs`,
 * how long the slowest of its tests took.
 */
export function outcomeOf(testModules, unhandledErrors, edited = []) {
  const all = testModules.flatMap((module) => [...module.children.allTests()]);
  const tests = all.map((test) => test.result());
  const failures = tests.filter(({ state }) => state === "failed").flatMap(({ errors }) => errors);
  const loading = testModules.flatMap((module) => module.errors());
  if (failures.length > 0) {
    const first = all.find((test) => test.result().state === "failed");
    const detail = `${first.fullName}: ${oneLine(first.result().errors[0])}`;
    if (failures.every((error) => isSlip(error, edited)))
      return { result: "not run", detail: `the edit throws: ${detail}` };
    return { result: "failed", detail, isTimeout: failures.every(isTimeout) };
  }
  const suites = testModules.flatMap((module) => [...module.children.allSuites()]).flatMap((suite) => suite.errors());
  const others = [...loading, ...suites, ...unhandledErrors];
  if (others.length > 0) return { result: "not run", detail: oneLine(others[0]) };
  if (!tests.some(({ state }) => state === "passed")) return { result: "not run", detail: "every test is skipped" };
  return { result: "passed", slowestMs: Math.max(...all.map((test) => test.diagnostic()?.duration ?? 0)) };
}

/** The edited file uses what is not there: any test would fail, whatever the rule. */
function isSlip({ name, stack = "" }, edited) {
  const frame = stack.split("\n").find((line) => /^\s*at /.test(line)) ?? "";
  return (name === "TypeError" || name === "ReferenceError") && edited.some((path) => frame.includes(`/${path}:`));
}

const isTimeout = ({ message }) => /^(?:Test|Hook) timed out in \d+ms/.test(message ?? "");

function oneLine({ name, message }) {
  const [line] = `${name ?? "Error"}: ${message ?? ""}`.split("\n");
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}
