/** `sallyport apply`, `policy`, `roles`, `envs`, `explain`. */
import type { Command } from "commander";
import { Problem } from "@sallyport/protocol";
import type { RoleView } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { listOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, listText, printText, show, table } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";

interface ApplyOptions extends ServerOptions {
  readonly file?: string;
  readonly schema?: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

export function addApply(program: Command, cli: Cli): void {
  withServer(program.command("apply"))
    .description("show what a policy file changes, then apply all of it or nothing")
    .option("-f, --file <file>", "policy file; - is stdin")
    .option("--yes", "apply without asking")
    .option("--dry-run", "only show the plan")
    .option("--schema", "print the policy file's JSON Schema, for editors")
    .action((options: ApplyOptions) => apply(cli, options));
}

async function apply(cli: Cli, options: ApplyOptions): Promise<void> {
  const { io } = cli;
  if (options.schema) {
    const { policyJsonSchema } = await import("@sallyport/contract");
    return printText(io, JSON.stringify(policyJsonSchema(), null, 2));
  }
  if (options.file === undefined)
    throw new UsageMistake(
      "no policy file is named",
      "name it: `sallyport apply -f FILE`, or `-f -` for standard input",
    );
  if (!options.yes && !options.dryRun && !io.canAsk)
    throw new UsageMistake(
      "stdin is not a terminal, so no one can confirm",
      "pass --yes to apply without confirmation, or --dry-run to see the plan",
    );
  const text = io.readText(options.file);
  await withClient(cli, options, async (client) => {
    const plan = await withProgress(io, { label: "planning the change", isJson: options.json }, () =>
      inFile(options.file ?? "", client.call("policy.plan", { body: { text } })),
    );
    if (options.dryRun || plan.changes.length === 0) {
      show(io, options.json, { ...plan, applied: false }, () =>
        plan.changes.length === 0 ? ["no change"] : plan.changes,
      );
      return;
    }
    if (!options.yes) {
      for (const change of plan.changes) io.err(change);
      const answer = await io.ask(
        `Make ${plan.changes.length === 1 ? "this change" : `these ${plan.changes.length} changes`}? [y/N] `,
      );
      if (!/^y(es)?$/i.test(answer)) {
        show(io, options.json, { ...plan, applied: false }, () => ["nothing changed"]);
        cli.found();
        return;
      }
    }
    const done = await withProgress(io, { label: "applying the change", isJson: options.json }, () =>
      client.call("policy.apply", { body: { text, expectEpoch: plan.epoch } }),
    );
    show(io, options.json, { ...done, applied: true }, () => [
      // A user who confirmed has already seen the plan.
      ...(options.yes ? done.changes : []),
      `applied: ${done.changes.length} changes`,
    ]);
  });
}

export function addPolicy(program: Command, cli: Cli): void {
  const policy = program.command("policy").description("read the policy");
  withServer(policy.command("export"))
    .description("print the policy in force as a policy file; comments and tests of the applied file are not kept")
    .action(async (options: ServerOptions) => {
      const said = await withClient(cli, options, (client) => client.call("policy.text"));
      if (said.isPart)
        cli.io.err("this is a part of the policy: it contains only the environments that you administer");
      if (options.json) show(cli.io, true, said, () => []);
      else printText(cli.io, said.text);
    });
}

/** Mistakes of a policy name the file they are in. */
async function inFile<T>(file: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (failure) {
    if (!(failure instanceof Problem) || failure.mistakes.length === 0) throw failure;
    const where = file === "-" ? "standard input" : file;
    const detail = failure.detail === undefined ? where : `${where}: ${failure.detail}`;
    throw new Problem(failure.code, detail, failure.mistakes);
  }
}

export function addRoles(program: Command, cli: Cli): void {
  const roles = program.command("roles").description("read roles");
  withServer(roles.command("list"))
    .description("list roles")
    .action(async (options: ServerOptions) => {
      const list = await withClient(cli, options, (client) => client.call("roles.list"));
      show(cli.io, options.json, list, () =>
        table(
          ["NAME", "FROM", "PERMISSIONS"],
          list.roles.map((role) => [
            role.name,
            role.isBuiltIn ? "built-in" : "policy",
            listText(role.allow.flatMap((grant) => grant.do)),
          ]),
          "no roles",
        ),
      );
    });
  withServer(roles.command("show <name>"))
    .description("show a role")
    .action(async (name: string, options: ServerOptions) => {
      const role = await withClient(cli, options, (client) => client.call("roles.show", { params: { name } }));
      show(cli.io, options.json, role, () => [
        ...facts({ name: role.name, from: role.isBuiltIn ? "built-in" : "policy", ...boundFacts(role) }),
        "",
        ...table(
          ["PERMISSIONS", "ON"],
          role.allow.map((grant) => [
            listText(grant.do),
            grant.on === null ? "(key's or assignment's models)" : listText(grant.on),
          ]),
          "grants nothing",
        ),
      ]);
    });
}

/** Limits and guards, a line each. Both have output tokens: of a window, and of one answer. */
function boundFacts({ limits, guard }: Pick<RoleView, "limits" | "guard">): Record<string, string> {
  const lines: [string, string][] = [];
  for (const [name, value] of Object.entries(limits))
    lines.push([`limits.${name}`, Array.isArray(value) ? listText(value) : String(value)]);
  for (const [name, value] of Object.entries(guard)) lines.push([`guard.${name}`, String(value)]);
  return Object.fromEntries(lines);
}

export function addEnvironments(program: Command, cli: Cli): void {
  const envs = program.command("envs").description("read environments");
  withServer(envs.command("list"))
    .description("list environments")
    .action(async (options: ServerOptions) => {
      const list = await withClient(cli, options, (client) => client.call("environments.list"));
      show(cli.io, options.json, list, () =>
        table(
          ["NAME", "UPSTREAMS", "KEY-MAX-AGE", "CLOUD"],
          list.environments.map((one) => [
            one.name,
            listText(one.upstreams.map(({ url }) => url)),
            one.keyMaxAge,
            one.cloud,
          ]),
          "no environments",
        ),
      );
    });
  withServer(envs.command("show <name>"))
    .description("show an environment")
    .action(async (name: string, options: ServerOptions) => {
      const one = await withClient(cli, options, (client) => client.call("environments.show", { params: { name } }));
      show(cli.io, options.json, one, () =>
        facts({
          name: one.name,
          upstreams: listText(one.upstreams.map(({ id, url }) => `${id}=${url}`)),
          "key max age": one.keyMaxAge,
          cloud: one.cloud,
          registries: listText(one.registries),
          "keep_alive max": one.keepAliveMax,
          ...boundFacts(one),
        }),
      );
    });
}

interface ExplainOptions extends ServerOptions {
  readonly keyId: string;
  readonly method: string;
  readonly path?: string;
  readonly token?: boolean;
  readonly allow?: string[];
  readonly ttl?: string;
  readonly bound?: boolean;
  readonly model?: string;
  readonly from?: string;
  readonly signed?: boolean;
}

export function addExplain(program: Command, cli: Cli): void {
  withServer(program.command("explain"))
    .description("show whether a request with this key is allowed, which rule decides, and how to change that")
    .requiredOption("--key-id <id>", "id or name of the key")
    .option("--path <path>", "path of the request, such as /api/chat")
    .option("--method <method>", "method of the request", "POST")
    .option("--model <name>", "model the request names")
    .option("--from <address>", "the client's address (default: network conditions are listed and assumed to be met)")
    .option("--signed", "assume that the request is signed by a registered public key")
    .option("--token", "show how long a token of the key would live, and the calculation")
    .addOption(listOption("--allow <permissions>", "with --token: the permissions to request"))
    .option("--ttl <duration>", "with --token: the lifetime to request")
    .option("--bound", "with --token: assume that the token is bound to a client key (DPoP)")
    .action(async (options: ExplainOptions) => {
      const { keyId, method, path, model, from: address, signed: isSigned } = options;
      if (options.token) return explainToken(cli, options);
      if (path === undefined)
        throw new UsageMistake("no request is described", "add --path PATH, such as /api/chat, or --token");
      const body = { keyId, method: method.toUpperCase(), path, model, address, isSigned };
      const said = await withClient(cli, options, (client) => client.call("explain", { body }));
      show(cli.io, options.json, said, () => [
        said.allowed ? "allowed" : `refused: ${said.code}`,
        ...said.because.map((reason) => `  because ${reason}`),
        ...said.remedy.map((remedy) => `  remedy: ${remedy}`),
      ]);
      if (!said.allowed) cli.found();
    });
}

async function explainToken(cli: Cli, options: ExplainOptions): Promise<void> {
  const { keyId, allow, ttl, bound = false } = options;
  const body = { keyId, allow, ttl, isBound: bound };
  const said = await withClient(cli, options, (client) => client.call("explainToken", { body }));
  show(cli.io, options.json, said, () => [`${said.seconds} s`, ...said.because.map((reason) => `  because ${reason}`)]);
}
