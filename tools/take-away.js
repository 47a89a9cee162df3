// Takes the code of each rule away, one at a time, in a copy of the tree, and runs the test that must then fail. A test
// that still passes without its rule is reported: it shows nothing. First every test runs with all rules in place: one
// that fails by itself proves nothing, so a red baseline ends the run. How it works, and how long it takes: ADR 60.
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { CopyWorker } from "./take-away/copy-worker.js";
import { editRows } from "./take-away/edited-files.js";
import { ProofLog, hashOf } from "./take-away/proof-log.js";
import { parseShard, rowsOfShard, testsOf } from "./take-away/shard.js";

const HELP = `Usage: npm run take-away -- [PREFIX] [OPTIONS]

Removes the code of each rule, one rule at a time, and checks that the rule's test fails without it.
PREFIX selects the rules whose name begins so (for example R4). The rules are in tools/take-away-*.js.

  --shard N/M    only the N-th of M parts of the rules
  --workers N    how many copies of the tree run tests at once (default 2)
  --resume FILE  go on where an earlier run stopped: FILE names the rules that are proved; each new proof is added.
                 A rule is proved again when its row, the file it edits, or its test has changed; the tests
                 run unmodified again when any file but the rows has changed
  --stale        only check that the code of each rule is where its row says, and that its edit can be loaded
  --json         print {"baseline","rules","survived"} and nothing else to stdout
  --help

Exits with 1 when a test fails before anything is removed, or when a rule survives: its test passes without it, its code
is not found, or its edit cannot be run. Progress goes to stderr.
`;

/**
 * A test of the baseline has as long as in the suite. Without a rule, each test of a file has three times as long as the
 * slowest one had in the baseline, and each hook three times as long as the whole file: many tests that notice wait for
 * what then never comes, so this decides how long a run takes.
 */
const BASELINE_LIMITS = { testMs: 60_000, hookMs: 60_000 };
const TEST_MS_MIN = 5_000;
const HOOK_MS_MIN = 15_000;

const { wanted, shard, workers, resume, isStale, isJson } = readWords();
const { rules } = await import(pathToFileURL(resolve("tools/take-away-rules.js")).href);
const named = rules.filter(({ rule }) => rule.startsWith(wanted));
const chosen = editRows(shard === undefined ? named : rowsOfShard(named, shard));
const proofs = resume === undefined ? undefined : new ProofLog(resume);
const hashes = new Map(proofs && chosen.map(({ row }) => [row, hashOf(row)]));
const left = chosen.filter(({ row }) => !proofs?.hasProof(hashes.get(row)));
const startedAt = Date.now();
if (chosen.length === 0 && shard === undefined) fail(`no rule begins with ${wanted}`);

if (isStale) checkStale();
else await takeAway();

function readWords() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        shard: { type: "string" },
        workers: { type: "string", default: "2" },
        resume: { type: "string" },
        stale: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    const shard = values.shard === undefined ? undefined : parseShard(values.shard);
    if (values.shard !== undefined && shard === undefined) throw new Error(`--shard ${values.shard} is not N/M`);
    if (!/^[1-9]\d?$/.test(values.workers)) throw new Error(`--workers ${values.workers} is not a number of workers`);
    if (positionals.length > 1) throw new Error(`one prefix at the most, not ${positionals.join(" ")}`);
    const workers = Number(values.workers);
    const { resume, stale: isStale, json: isJson } = values;
    return { wanted: positionals[0] ?? "", shard, workers, resume, isStale, isJson };
  } catch (error) {
    return fail(error.message);
  }
}

function fail(why) {
  process.stderr.write(`take-away: ${why}\n\n${HELP}`);
  process.exit(2);
}

function checkStale() {
  const unfit = chosen.filter(({ why }) => why !== undefined);
  for (const { row, detail } of unfit) console.error(`${row.rule}: ${row.what}: ${detail}`);
  console.log(
    `rules: ${chosen.length - unfit.length} can be taken away${unfit.length > 0 ? `, ${unfit.length} cannot` : ""}`,
  );
  process.exitCode = unfit.length > 0 ? 1 : 0;
}

async function takeAway() {
  const copies = [];
  const endAll = () => copies.splice(0).forEach((copy) => copy.close());
  // A copy is 30 MB and its runner a process: neither stays behind an interrupted run.
  for (const signal of ["SIGINT", "SIGTERM"])
    process.once(signal, () => {
      endAll();
      process.exit(1);
    });
  try {
    if (left.length < chosen.length) process.stderr.write(`proved earlier: ${chosen.length - left.length}\n`);
    const tests = testsOf(left.map(({ row }) => row));
    for (let at = 0; at < Math.min(workers, tests.length); at++) copies.push(new CopyWorker(resolve(".")));
    const { red, limits } = await runBaseline(copies, tests);
    const survived = red.length > 0 ? [] : await findSurvivors(copies, limits);
    report(red, survived);
    process.exitCode = red.length + survived.length > 0 ? 1 : 0;
  } finally {
    endAll();
  }
}

/** The tests that do not pass with every rule in place, and how long each may take without its rule. */
async function runBaseline(copies, tests) {
  const red = [];
  const limits = new Map(proofs?.baseline);
  const untried = tests.filter((test) => !limits.has(test));
  await shareOut(copies, untried, async (copy, test) => {
    const ranAt = Date.now();
    const { result, detail, slowestMs } = await copy.run({ test }, [], BASELINE_LIMITS);
    limits.set(test, rowLimits(slowestMs, Date.now() - ranAt));
    if (result === "passed") proofs?.addBaseline(test, limits.get(test));
    if (result !== "passed") red.push({ test, detail });
    return [result === "passed" ? "passes" : "RED", test, detail];
  });
  return { red, limits };
}

function rowLimits(slowestMs, fileMs) {
  const limit = (leastMs, ms) => Math.min(BASELINE_LIMITS.testMs, Math.max(leastMs, Math.ceil(3 * ms)));
  return { testMs: limit(TEST_MS_MIN, slowestMs), hookMs: limit(HOOK_MS_MIN, fileMs) };
}

async function findSurvivors(copies, limits) {
  const survived = [];
  await shareOut(copies, left, async (copy, edited) => {
    const { rule, what, test } = edited.row;
    const { why, detail } = edited.why === undefined ? await judge(copy, edited, limits.get(test)) : edited;
    if (why !== undefined) survived.push({ rule, what, test, why, ...(detail && { detail }) });
    else proofs?.addProof(edited.row, hashes.get(edited.row), detail);
    return [why === undefined ? "noticed" : `SURVIVED (${why})`, `${rule}: ${what} (${test})`, detail];
  });
  return survived;
}

/** Why a rule survives ("passed" or "broken"), or no `why` when its test notices that it is gone. */
async function judge(copy, { row, edits }, limits) {
  const { result, detail, isTimeout } = await copy.run(row, edits, limits);
  if (result === "passed") return { why: "passed" };
  if (result === "not run") return { why: "broken", detail };
  // On a busy machine a test can be late for another reason: it must be in time with the rule, right now.
  if (isTimeout && (await copy.run(row, [], limits)).result !== "passed")
    return { why: "broken", detail: `${detail}, with the rule in place as well` };
  return { detail };
}

/** Every copy takes the next of the things to do as soon as it is free; `work` returns the words that tell how it went. */
async function shareOut(copies, things, work) {
  let next = 0;
  const takeTurns = async (copy) => {
    while (next < things.length) {
      const at = next++;
      const workAt = Date.now();
      const [word, what, detail] = await work(copy, things[at]);
      const times = `${seconds(startedAt)} s (${seconds(workAt)} s)`;
      process.stderr.write(`${times} ${at + 1}/${things.length} ${word} ${what}${detail ? `: ${detail}` : ""}\n`);
    }
  };
  await Promise.all(copies.map(takeTurns));
}

function seconds(since) {
  return ((Date.now() - since) / 1000).toFixed(1);
}

function report(red, survived) {
  const baseline = red.length > 0 ? "red" : "green";
  if (isJson) return console.log(JSON.stringify({ baseline, rules: chosen.length, survived }));
  for (const { test, detail } of red) console.log(`RED ${test}${detail ? `: ${detail}` : ""}`);
  if (red.length > 0) return console.log("tests fail with every rule in place: nothing was taken away");
  for (const { rule, what, test, why, detail } of survived)
    console.log(`SURVIVED (${why}) ${rule}: ${what} (${relative(".", test)})${detail ? `: ${detail}` : ""}`);
  console.log(
    survived.length === 0
      ? `${chosen.length} rules taken away, each made its test fail`
      : `${survived.length} of ${chosen.length} rules survived`,
  );
}
