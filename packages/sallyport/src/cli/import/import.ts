/** `sallyport import`: keys for the applications that another product's file lists. */
import { Option } from "commander";
import type { Command } from "commander";
import type { AdminClient } from "@sallyport/client";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { describeFailure } from "../terminal/failure.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { keepOrRevoke } from "../terminal/keep-or-revoke.ts";
import { listOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { listText, show, table } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";
import { indented } from "../terminal/styled-line.ts";
import type { Line } from "../terminal/styled-line.ts";
import { checkKeyDestination, openKeyDestination } from "./created-keys.ts";
import type { CreatedKey } from "./created-keys.ts";
import { planImport } from "./import-plan.ts";
import type { ImportPlan, PlannedKey } from "./import-plan.ts";
import { readLiteLlm } from "./litellm.ts";
import { readNginxMap } from "./nginx-map.ts";
import { readOneApi } from "./one-api.ts";
import { readBoundedText } from "./read-file.ts";
import type { ReadSource, SourceRead } from "./source-read.ts";
import { readUserList } from "./user-list.ts";

const sources = {
  litellm: readLiteLlm,
  "nginx-map": readNginxMap,
  "user-list": readUserList,
  "one-api": readOneApi,
} as const satisfies Readonly<Record<string, ReadSource>>;
export const importFormats = Object.keys(sources) as readonly (keyof typeof sources)[];

interface ImportOptions extends ServerOptions {
  readonly format: keyof typeof sources;
  readonly env: string;
  readonly role?: string[];
  readonly model?: string[];
  readonly ttl?: string;
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

interface Result extends ImportPlan {
  readonly format: string;
  readonly environment: string;
  readonly applied: boolean;
  readonly keys: readonly CreatedKey[];
  readonly out?: string;
  /** Why the import stopped half-way. */
  readonly failure?: string;
}

export function addImport(program: Command, cli: Cli): void {
  withServer(program.command("import <file>"))
    .description("create keys for the applications in another product's file, and list what cannot be imported")
    .addOption(new Option("--format <format>", "what the file is").choices(importFormats).makeOptionMandatory())
    .option("--env <environment>", "environment of the new keys", "dev")
    .addOption(listOption("--role <roles>", "roles of the new keys (default: cli)"))
    .addOption(listOption("--model <selectors>", "models of keys for which the file names none (default: *)"))
    .option(
      "--ttl <duration>",
      "lifetime of keys for which the file sets no expiry (default: the environment's maximum)",
    )
    .option("--out <file>", "write the keys to a new file, readable by its owner only")
    .option("--dry-run", "only show what would be created")
    .option("--yes", "create the keys without asking")
    .action((file: string, options: ImportOptions) => runImport(cli, file, options));
}

async function runImport(cli: Cli, file: string, options: ImportOptions): Promise<void> {
  const { io } = cli;
  const { format, env: environment, role: roles = ["cli"], model: models = ["*"], ttl, json, out } = options;
  if (!options.yes && !options.dryRun && !io.canAsk)
    throw new UsageMistake(
      "stdin is not a terminal, so no one can confirm",
      "pass --yes to create the keys, or --dry-run to see them",
    );
  if (!options.dryRun) checkKeyDestination(io, options);
  const now = Date.now();
  const source = readSource(file, format, now);
  await withClient(cli, options, async (client) => {
    const plan = await planImport(client, source, { environment, roles, models, ttl }, now);
    const unchanged: Result = { format, environment, ...plan, applied: false, keys: [] };
    if (options.dryRun || plan.create.length === 0)
      return show(io, json, unchanged, () => planLines(plan, environment));
    if (!options.yes && !(await confirm(cli, plan, environment))) {
      show(io, json, unchanged, () => ["nothing created"]);
      return cli.found();
    }
    // A user who confirmed has already seen the plan.
    if (options.yes && !json) for (const line of planLines(plan, environment)) io.out(line);
    const { keys, failure } = await withProgress(io, { label: "creating keys", isJson: json }, (onProgress) =>
      createKeys(cli, client, plan, options, (count) => onProgress("keys", count, plan.create.length)),
    );
    const named = failure === undefined ? {} : { failure: describeFailure(failure).message };
    const result: Result = { format, environment, ...plan, applied: true, keys, ...(out ? { out } : {}), ...named };
    show(io, json, result, () => [
      `created ${keys.length} of ${plan.create.length} keys${out === undefined ? "" : `; they are in ${out}`}`,
    ]);
    if (failure !== undefined) throw failure;
    if (!json && out === undefined) io.err("The keys are shown this once and cannot be read again.");
  });
}

function readSource(file: string, format: keyof typeof sources, now: number): SourceRead {
  const read: ReadSource = sources[format];
  const source = read(readBoundedText(file), now);
  const where = file === "-" ? "standard input" : file;
  if (source.mistakes.length > 0)
    throw new UsageMistake(
      `${where} is not a file of format ${format}; nothing was created`,
      "correct the file, or choose another --format",
      source.mistakes,
    );
  return source;
}

async function confirm({ io }: Cli, plan: ImportPlan, environment: string): Promise<boolean> {
  for (const line of planLines(plan, environment)) io.err(line);
  const count = plan.create.length;
  return /^y(es)?$/i.test(await io.ask(`Create ${count === 1 ? "this key" : `these ${count} keys`}? [y/N] `));
}

/** A failure stops it, and what was created until then is reported with the failure. */
async function createKeys(
  { io }: Cli,
  client: AdminClient,
  { create }: ImportPlan,
  options: ImportOptions,
  onKey: (count: number) => void,
): Promise<{ readonly keys: readonly CreatedKey[]; readonly failure: unknown }> {
  const place = openKeyDestination(io, options);
  const keys: CreatedKey[] = [];
  try {
    for (const planned of create) {
      const { id, name, key } = await client.call("keys.create", { body: orderOf(planned, options.env) });
      if (key === undefined) throw new TypeError("the gateway created a key and did not return it");
      await keepOrRevoke(client, id, () => place.write(name, key));
      onKey(keys.push({ name, id, ...(options.out === undefined ? { key } : {}) }));
    }
    return { keys, failure: undefined };
  } catch (failure) {
    return { keys, failure };
  } finally {
    place.close();
  }
}

function orderOf({ name, roles, models, networks, ttl }: PlannedKey, environment: string) {
  return {
    environment,
    name,
    roles: [...roles],
    models: [...models],
    ...(networks === null ? {} : { networks: [...networks] }),
    ...(ttl === null ? {} : { ttl }),
  };
}

function planLines({ create, skipped, notCarried }: ImportPlan, environment: string): readonly Line[] {
  return [
    `keys to create in ${environment}:`,
    ...table(
      ["LINE", "NAME", "ROLES", "MODELS", "LIFETIME", "FROM"],
      create.map(({ line, name, roles, models, networks, ttl }) => [
        String(line),
        name,
        listText(roles),
        listText(models),
        ttl ?? "maximum",
        networks === null ? "anywhere" : listText(networks),
      ]),
      "none",
    ).map((line) => indented(line)),
    ...(skipped.length === 0 ? [] : ["skipped, because a key of this name exists:"]),
    ...skipped.map(({ line, name, id }) => `  line ${line}: ${name} (${id})`),
    "not imported:",
    ...notCarried.map(({ line, what, reason }) => `  ${line === null ? "" : `line ${line}: `}${what}: ${reason}`),
  ];
}
