/**
 * Every mistake that the command line can report: its cause, its sentence, a remedy that fits, the exit code, and the same
 * as JSON. The sources are searched for places that make one; a place that no row reaches fails the last test.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { formatKeyText } from "@sallyport/protocol";
import { beforeAll, describe, expect, it } from "vitest";
import { capturedIo } from "../captured-io.ts";
import { makeConnect, makeProgram, processIo, runCli } from "../program-under-test.ts";
import type { Cli } from "../program-under-test.ts";

interface Mistake {
  readonly line: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly code?: string;
  readonly exit?: number;
  /** Part of the message or of one of its mistakes. */
  readonly says: string;
  readonly remedy?: string;
}

const HERE = mkdtempSync(join(tmpdir(), "sallyport-mistakes-"));
const at = (name: string): string => join(HERE, name);
const data = at("data");
const KEY = "my-app";

const WHOLE_KEY = formatKeyText("sp", "dev", "4fT9wLq2ZbXc", "k".repeat(43));
const SEE = "see its options: `sallyport";
const usage: readonly Mistake[] = [
  { line: "kyes", says: "did you mean keys?", remedy: "use one of init" },
  { line: "keys lst", says: "did you mean list?", remedy: "use one of create" },
  { line: "keys list --jsno", says: "did you mean --json?", remedy: `${SEE} keys list --help` },
  { line: "keys list more", says: "too many arguments", remedy: `${SEE} keys list --help` },
  { line: "keys show", says: "missing required argument 'id'", remedy: `${SEE} keys show --help` },
  { line: "audit export", says: "required option '--out <path>' not specified", remedy: `${SEE} audit export --help` },
  { line: "audit export --format tile --out x", says: "did you mean tiles?" },
  { line: "completion bahs", says: "did you mean bash?" },
  { line: "admin keys create --name n --role isuer --env dev", says: "did you mean issuer?" },
  { line: "keys factors k --bind firstuse", says: "did you mean first-use?" },
  { line: "keys list --limit x --json", says: "unknown option '--limit'" },
  { line: "audit search --limit x", says: "a whole number is needed" },
  { line: "keys create --name n", says: "required option '--env <environment>'", remedy: "keys create --env ENV" },
  { line: "keys create --env dev", says: "required option '--name <name>'", remedy: "keys create --env ENV" },
  { line: "keys create --env dev --name n --to age1x", says: "--to and --from go with --deliver" },
  { line: "keys rotate k --finish --restart", says: "--finish ends a rotation" },
  { line: "keys factors k --anywhere --network 10.0.0.0/8", says: "--anywhere goes with neither" },
  { line: "keys factors k --demand-nothing --require signature", says: "--demand-nothing does not go" },
  { line: "keys signers add k", says: "one of --public-key and --hmac", remedy: "add --public-key FILE" },
  { line: "keys workloads add k --template github --audience a --claim x", says: "is not a name and a value", remedy: "name=value" },
  { line: "keys receive spt_dev_x --as 1x", says: "is not the name of a variable", remedy: "SALLYPORT_API_KEY" },
  { line: "keys receive spt_dev_x --identity @identty", says: "did you mean identity?", remedy: "correct the path" },
  { line: "posture --html @no/such/x.html --data @data", says: "cannot be written: ", remedy: "that you can write to" },
  { line: "posture accept key_unusd key:k --until 1d --reason r", says: "there is no finding ", remedy: "sallyport posture" },
  { line: "posture reopen key_unused key:k --all", says: "--all, --sarif and --html are options of `sallyport posture` alone", remedy: "leave them out" },
  { line: `leaks report ${WHOLE_KEY}`, says: "the whole key is in the command line", remedy: "sallyport leaks report -" },
  { line: "access list --as-of 2026-01-01", says: "access as of a past time is not available", remedy: "--as-of" },
  { line: "review show rev_0123456789ab x", says: "is not the number of a line", remedy: "sallyport review show REVIEW" },
  { line: "review verify @no-such", says: "there is no ", remedy: "correct the path" },
  { line: "apply --yes", says: "no policy file is named", remedy: "apply -f FILE" },
  { line: "apply -f @policy.yaml", says: "no one can confirm", remedy: "--yes" },
  { line: "apply -f @polcy.yaml --yes", says: "did you mean policy.yaml?", remedy: "correct the path" },
  { line: "apply -f @ --yes", says: "is a directory", remedy: "name a file" },
  { line: "upstreams drain nowhere", says: "names no model server", remedy: "ENV/UPSTREAM" },
  { line: "upstreams tls set dev/u1", says: "--ca FILE, or --certificate FILE" },
  { line: "limits replay @export.jsonl --policy @broken.yaml", says: "is not a valid policy", remedy: "correct the policy file" },
  { line: "scan", says: "nothing to scan", remedy: "name a path" },
  { line: "scan @empty --git @empty", says: "exclude each other" },
  { line: "scan @empty --history", says: "needs --git REPOSITORY" },
  { line: "scan --git @empty --history --pushed HEAD", says: "--history and --pushed exclude each other" },
  { line: "scan - @empty", says: "is scanned alone" },
  { line: "scan @empty --baseline @users.txt", says: "is not a baseline", remedy: "--write-baseline FILE" },
  { line: "usage --by modle", says: "did you mean model?", remedy: "known: key" },
  { line: "usage --format cvs", says: "did you mean csv?", remedy: "known: table" },
  { line: "usage --since 1d --until 7d", says: "--since is later than --until" },
  { line: "usage mine --by key", says: "--by is not an option of usage mine" },
  { line: "usage --prices @large.txt", says: "is larger than 64 KiB", remedy: "name a price list" },
  { line: "usage --prices @policy.yaml", says: "is not a price list", remedy: "docs/guides/usage.md" },
  { line: "keys list --risk idel", says: "did you mean idle?", remedy: "known: expiring" },
  { line: "keys list --state gone", says: "is unknown", remedy: "known: active" },
  { line: "keys list --sort nmae", says: "did you mean name?", remedy: "known: name" },
  { line: "top --every 0", says: "is not a number of seconds from 0.5 to 60" },
  { line: "keys create --env dev --name n --weight 0", says: "a number from 0.01 to 1000 is needed" },
  { line: "keys create --env dev --name n --priority bach", says: "did you mean batch?" },
  { line: "explain --key-id k", says: "no request is described", remedy: "--path PATH" },
  { line: "incident close inc_aaaaaaaaaaaa --reissue --false-alarm", says: "exclude each other" },
  { line: "incident close inc_aaaaaaaaaaaa --deliver", says: "--deliver goes with --reissue" },
  { line: "audit search --since soon", says: '"soon" is neither a duration nor a time', remedy: "7d" },
  { line: "audit verify --state --key x", says: "--state verifies the database alone" },
  { line: "audit verify @nothing", says: "there is no ", remedy: "correct the path" },
  { line: "anomalies list --since soon", says: '"soon" is not a duration', remedy: "24h" },
  { line: "anomalies respond a", says: "one of --false-alarm and --confirm", remedy: "--confirm" },
  { line: "anomalies replay @export.jsnl", says: "did you mean export.jsonl?", remedy: "correct the path" },
  { line: "anomalies replay @export.jsonl --policy @broken.yaml", says: "is not valid YAML", remedy: "correct the policy file" },
  { line: "anomalies replay @export.jsonl --policy @policy.yaml", says: "is not a valid anomaly policy", remedy: "correct the policy file" },
  { line: "anomalies score @empty", says: "is not labelled traffic", remedy: "anomalies simulate" },
  { line: "anomalies score @policy.yaml", says: "is not a directory", remedy: "name a directory" },
  { line: "start --data @never", env: { OLLAMA_HOST: "http://a b" }, says: "OLLAMA_HOST is no address", remedy: "HOST:PORT" },
  { line: "import @users.txt --format user-lst", says: "did you mean user-list?" },
  { line: "import @users.txt --format user-list", says: "no one can confirm", remedy: "--yes" },
  { line: "import @user.txt --format user-list --dry-run", says: "did you mean users.txt?", remedy: "correct the path" },
  { line: "import @users.txt --format user-list --ttl soon --dry-run", says: '"soon" is not a duration', remedy: "90d" },
  { line: "import @policy.yaml --format one-api --dry-run", says: "is not a file of format one-api", remedy: "--format" },
  { line: "import @large.txt --format user-list --dry-run", says: "is larger than 1 MiB", remedy: "split" },
  { line: "import @latin1.txt --format user-list --dry-run", says: "is not UTF-8 text", remedy: "UTF-8" },
  { line: "rekey", says: "one of --kek and --pepper", remedy: "--pepper" },
  { line: "rekey --kek --env dev", says: "--env goes with --pepper" },
  { line: "rekey --pepper --to file:x", says: "--to goes with --kek" },
  { line: "rekey --kek --to nonsense", says: "--to " },
  { line: "restore @empty", says: "no data directory is named", remedy: "--data" },
  { line: "restore @emty --data @new", says: "did you mean empty?", remedy: "correct the path" },
  { line: "backup @b --plain --to age1x", says: "--plain and --to exclude" },
  { line: "backup @b", says: "no recipient is named", remedy: "--plain" },
  { line: "backup @b --to env:P,age1x", says: "a passphrase cannot be combined", remedy: "--to env:NAME" },
  { line: "init --example --out @policy.yaml", says: "cannot be created", remedy: "does not exist" },
  { line: "admin reset --out @policy.yaml", says: "cannot be created", remedy: "does not exist" },
  { line: "admin keys create --name n --role issuer --env dev --grant-all --grant infer:chat --json", says: "--grant-all stands alone" },
  { line: "admin keys create --name n --role issuer --env dev --grant-model x --json", says: "--grant-model needs --grant" },
  { line: "admin keys create --name n --role issuer --env dev --grant-requests 1/s --json", says: "need --grant" },
  { line: "token --ttl soon", says: "is not a duration of at least a second", remedy: "5m" },
  { line: "status", env: { SALLYPORT_ADMIN_URL: "http://127.0.0.1:1" }, says: "are needed together", remedy: "set both" },
  { line: "status", env: { SALLYPORT_ADMIN_URL: "http://127.0.0.1:1", SALLYPORT_ADMIN_KEY: "sp_x" }, says: "is not a whole admin key", remedy: "copy the admin key" },
  { line: "status", env: { SALLYPORT_LISEN: "1" }, code: "settings_invalid", says: "did you mean SALLYPORT_LISTEN?", remedy: "correct them" },
  { line: "serve --log debgu", code: "settings_invalid", says: "did you mean debug?", remedy: "correct them" },
]; // prettier-ignore

/** Without a terminal, and without --json, a secret is not printed. */
const textOnly: readonly Mistake[] = [
  { line: "admin reset", says: "shown only on a terminal", remedy: "--out FILE" },
  { line: "import @users.txt --format user-list --yes", says: "printed only on a terminal", remedy: "--out FILE" },
];

const denied: readonly Mistake[] = [
  { line: `keys show ${KEY}x`, code: "not_found", says: `did you mean ${KEY}?`, remedy: "list" },
  { line: `audit search --key-id ${KEY}x`, code: "not_found", says: `did you mean ${KEY}?`, remedy: "list" },
  { line: "people show adda", code: "not_found", says: "did you mean ada?", remedy: "list" },
  { line: "services disable my-ap", code: "not_found", says: "did you mean my-app?", remedy: "list" },
  { line: "roles show chatbt", code: "not_found", says: "did you mean chatbot?", remedy: "list" },
  { line: "envs show dve", code: "unknown_environment", exit: 2, says: "did you mean dev?", remedy: "envs list" },
  { line: "keys list --env dve", code: "unknown_environment", exit: 2, says: "did you mean dev?", remedy: "envs list" },
  { line: "keys create --env dve --name n --role cli", code: "input_invalid", says: "did you mean dev?", remedy: "fix" },
  { line: "keys create --env dev --name n --role chatbt", code: "input_invalid", says: "did you mean chatbot?", remedy: "fix" },
  { line: "keys create --env dev --name n --allow infer:chta", code: "input_invalid", says: "did you mean infer:chat?", remedy: "fix" },
  { line: "people assign ada --env dve --role cli", code: "input_invalid", says: "did you mean dev?", remedy: "fix" },
  { line: "admin keys create --name n --role viewer --env dve --json", code: "input_invalid", says: "did you mean dev?", remedy: "fix" },
  { line: `keys factors ${KEY} --require sgnature`, code: "input_invalid", says: "did you mean signature?", remedy: "fix" },
  { line: "audit search --type key.isued", code: "input_invalid", says: "did you mean key.issued?", remedy: "fix" },
  { line: "audit search --code model_denid", code: "input_invalid", says: "did you mean model_denied?", remedy: "fix" },
  { line: "apply -f @roles.yaml --yes", code: "input_invalid", says: "did you mean chatbot?", remedy: "fix" },
  { line: "keys create --env dev --name n --role cli --ttl 9999d", code: "lifetime_exceeds_maximum", says: "at most", remedy: "--ttl" },
  { line: "audit export --format jsonl --env dev --out @e", code: "input_invalid", says: "--env goes with --format tiles", remedy: "fix" },
  { line: "audit proof 1 --out @policy.yaml", code: "already_exists", says: "choose another path", remedy: "" },
  { line: "init", code: "already_exists", says: "is initialised", remedy: "" },
  { line: "restore confirm", code: "conflict", says: "no restore waits", remedy: "" },
  { line: "logout --env dev", env: { HOME: "@home" }, code: "credential_missing", says: "there is no session", remedy: "" },
  { line: "keys mine --env dev", env: { HOME: "@home" }, code: "credential_missing", says: "there is no session", remedy: "" },
  { line: "keys list --data @nothing", code: "data_missing", exit: 3, says: "nothing", remedy: "sallyport init" },
]; // prettier-ignore

const faults: readonly Mistake[] = [
  { line: "status", env: { SALLYPORT_ADMIN_URL: "http://127.0.0.1:2", SALLYPORT_ADMIN_KEY: "@admin" }, code: "gateway_unreachable", exit: 3, says: "127.0.0.1:2", remedy: "start the gateway" },
]; // prettier-ignore

let adminKey = "";
beforeAll(async () => {
  for (const folder of ["empty", "home"]) mkdirSync(at(folder));
  writeFileSync(at("policy.yaml"), "environments: { dev: {} }\n");
  writeFileSync(
    at("roles.yaml"),
    "environments: { dev: {} }\nassign: [{ to: { group: g }, in: [dev], role: chatbt }]\n",
  );
  writeFileSync(at("broken.yaml"), "a: [\n");
  writeFileSync(at("export.jsonl"), "");
  writeFileSync(at("identity"), "AGE-SECRET-KEY-1\n");
  writeFileSync(at("users.txt"), "ada:abcdefghijklmnopqrstuvwxyz\n");
  writeFileSync(at("large.txt"), "x".repeat(1024 * 1024 + 1));
  writeFileSync(at("latin1.txt"), Buffer.from([0x61, 0xe9, 0x0a]));
  adminKey = String(JSON.parse((await run("init --json")).out[0]!)["adminKey"]);
  await run(`keys create --env dev --name ${KEY} --role cli --model *`);
  await run("people create --name ada");
}, 60_000);

async function run(line: string, env: Readonly<Record<string, string>> = {}) {
  const filled = (text: string): string => (text === "@admin" ? adminKey : text.replace(/^@/, `${HERE}/`));
  const words = line.split(" ").map(filled);
  const around = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, filled(value)]));
  const variables = { HOME: at("home"), SALLYPORT_DATA: data, ...around };
  const { io, out, err } = capturedIo({ env: variables });
  const exit = await runCli(words, { ...io, readText: (path) => real.readText(path) }, makeConnect(variables));
  return { exit, out, err };
}

const observed: string[] = [];
const real = processIo();

async function check({
  line,
  env,
  code = "usage",
  exit = code in { usage: 1, settings_invalid: 1 } ? 2 : 1,
  says,
  remedy = SEE,
}: Mistake) {
  const text = await run(line, env);
  observed.push(text.err.join("\n"));
  expect(text.exit).toBe(exit);
  expect(text.out).toEqual([]);
  expect(text.err[0]).toMatch(/^sallyport: /);
  expect(text.err.join("\n")).toContain(says);
  expect(text.err.at(-1)).toMatch(/^ {2}remedy: ./);
  expect(text.err.at(-1)).toContain(remedy);
  expect(text.err.join("\n")).not.toMatch(/\n\s+at |undefined|\[object/);
}

async function checkJson({
  line,
  env,
  code = "usage",
  exit = code in { usage: 1, settings_invalid: 1 } ? 2 : 1,
  says,
  remedy = SEE,
}: Mistake) {
  const json = await run(line.endsWith("--json") ? line : `${line} --json`, env);
  expect([json.exit, json.out, json.err.length]).toEqual([exit, [], 1]);
  const { error } = JSON.parse(json.err[0]!) as { error: Record<string, unknown> };
  expect(Object.keys(error).filter((name) => name !== "mistakes")).toEqual(["code", "message", "remedy"]);
  expect(error["code"]).toBe(code);
  expect(JSON.stringify([error["message"], error["mistakes"]])).toContain(JSON.stringify(says).slice(1, -1));
  expect(error["remedy"]).toContain(remedy);
}

const program = await makeProgram({ io: { out() {}, err() {}, env: {} } } as unknown as Cli);

/** Some commands have no output for programs; there, `--json` is an unknown option itself. */
function takesJson(line: string): boolean {
  let command = program;
  for (const word of line.split(" ")) {
    const inner = command.commands.find((one) => one.name() === word);
    if (!inner) break;
    command = inner;
  }
  return command.options.some(({ long }) => long === "--json");
}

describe.each([
  ["a mistake in the command", usage],
  ["a denial", denied],
  ["a fault", faults],
])("%s", (_name, rows) => {
  it.each(rows.map((row) => [row.line, row] as const))("%s", async (line, row) => {
    if (!line.endsWith("--json")) await check(row);
    else observed.push((await run(line.slice(0, -" --json".length), row.env)).err.join("\n"));
    if (takesJson(line)) await checkJson(row);
  });
});

it.each(textOnly.map((row) => [row.line, row] as const))("a secret and no terminal: %s", (_line, row) => check(row));

it("every place that makes a mistake of the command line is reached by a row", () => {
  const cli = fileURLToPath(new URL("../../packages/sallyport/src/cli/", import.meta.url));
  const sources = readdirSync(cli, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => readFileSync(join(cli, file), "utf8"));
  const places = sources.flatMap((source) =>
    [...source.matchAll(/new UsageMistake\(\s*(?:"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g)].map(
      ([, plain, template = ""]) => plain ?? template.split(/\$\{[^}]*\}/).toSorted((a, b) => b.length - a.length)[0]!,
    ),
  );
  expect(places.length).toBeGreaterThan(45);
  const all = observed.join("\n");
  expect(places.filter((text) => !all.includes(text) && !COVERED_ELSEWHERE.includes(text))).toEqual([]);
});

/** They need a gateway's delivery link (test/program/delivery.test.ts), or a standard input (cli/upstreams). */
const COVERED_ELSEWHERE = [
  " is tracked by git, which would publish the key",
  "the link is encrypted to ",
  "the credential is empty",
  // They need a closed review: test/gateway/access-review.test.ts.
  " cannot be made: ",
  "the proofs of a report are made from the data directory",
  // Every row here is run with --json, too: packages/sallyport/src/cli/posture/posture.test.ts.
  "--json and --sarif exclude each other",
  "--json and --csv exclude each other",
];
