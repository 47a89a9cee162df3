/**
 * `sallyport complete -- WORDS…`, which completion scripts run at each Tab: the candidates for the last word, one a line,
 * `:files` where a path is meant. It never fails aloud and never asks: a shell has no place for that.
 */
import type { Command, Option } from "commander";
import { permissions, problems } from "@sallyport/protocol";
import { withClient } from "./cli.ts";
import type { Cli } from "./cli.ts";

const FILES = ":files";
/** Characters that are literal in every shell. Other names are skipped; ids always match. */
const PLAIN = /^[A-Za-z0-9_.:@/*+-]+$/;
const CANDIDATES_MAX = 500;

export function addComplete(program: Command, cli: Cli): void {
  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .description("print completions for the last word; used by completion scripts")
    .action(async (words: string[]) => {
      for (const candidate of await candidatesFor(program, cli, words).catch(() => [])) cli.io.out(candidate);
    });
}

export async function candidatesFor(program: Command, cli: Cli, words: readonly string[]): Promise<readonly string[]> {
  const current = words.at(-1) ?? "";
  const { command, waiting, position, data } = readTyped(program, words.slice(0, -1));
  const list = async (option: Option | string, prefix: string, typed: string): Promise<readonly string[]> => {
    const before = typed.slice(0, typed.lastIndexOf(",") + 1);
    const values = await valuesOf(option, command, cli, data);
    if (values === FILES) return [FILES];
    const fitting = values.filter((value) => PLAIN.test(value)).map((value) => prefix + before + value);
    return fitting.filter((value) => value.startsWith(current)).slice(0, CANDIDATES_MAX);
  };
  if (waiting) return list(waiting, "", current);
  const equals = current.startsWith("--") ? current.indexOf("=") : -1;
  if (equals > 0) {
    const option = command.options.find(({ long }) => long === current.slice(0, equals));
    return option ? list(option, current.slice(0, equals + 1), current.slice(equals + 1)) : [];
  }
  if (current.startsWith("-")) return flagsOf(command).filter((flag) => flag.startsWith(current));
  const visible = command
    .createHelp()
    .visibleCommands(command)
    .map((one) => one.name());
  const fitting = position > 0 ? [] : visible.filter((name) => name.startsWith(current));
  if (visible.length > 0 && (fitting.length > 0 || command.registeredArguments.length === 0)) return fitting;
  const argument = command.registeredArguments[position];
  if (argument?.argChoices) return argument.argChoices.filter((choice) => choice.startsWith(current));
  return argument ? list(argument.name(), "", current) : flagsOf(command);
}

interface Typed {
  readonly command: Command;
  /** An option whose value comes next. */
  readonly waiting: Option | undefined;
  /** Which of the command's arguments comes next. */
  readonly position: number;
  readonly data: string | undefined;
}

function readTyped(program: Command, words: readonly string[]): Typed {
  let command = program;
  let waiting: Option | undefined;
  let position = 0;
  let data: string | undefined;
  for (const word of words) {
    if (waiting) {
      if (waiting.long === "--data") data = word;
      waiting = undefined;
    } else if (word.startsWith("-")) {
      const option = command.options.find(({ long, short }) => long === word || short === word);
      if (option && (option.required || option.optional)) waiting = option;
      if (word.startsWith("--data=")) data = word.slice("--data=".length);
    } else {
      const inner = command.commands.find((one) => one.name() === word);
      if (inner) command = inner;
      else position++;
    }
  }
  return { command, waiting, position, data };
}

function flagsOf(command: Command): string[] {
  return [...command.options.map(({ long }) => long ?? "").filter((flag) => flag !== ""), "--help"];
}

type Values = readonly string[] | typeof FILES;

/** An option, or the name of an argument. */
async function valuesOf(of: Option | string, command: Command, cli: Cli, data: string | undefined): Promise<Values> {
  if (typeof of !== "string" && of.argChoices) return of.argChoices;
  const name = typeof of === "string" ? of : (of.long ?? "");
  const isAdminKey = command.parent?.parent?.name() === "admin";
  switch (name) {
    case "--env":
    case "--environments":
      return asked(cli, data, async (client) =>
        (await client.call("environments.list")).environments.map((one) => one.name),
      );
    case "--role":
      if (isAdminKey) return ["viewer", "issuer", "provisioner", "admin"];
      return asked(cli, data, async (client) => (await client.call("roles.list")).roles.map((one) => one.name));
    case "--owner":
    case "--principal":
    case "who":
      return asked(cli, data, async (client) => {
        const { principals } = await client.call("principals.list");
        return principals.flatMap((one) => [one.id, one.name]);
      });
    case "upstream":
      return asked(cli, data, async (client) =>
        (await client.call("upstreams.list")).upstreams.map((one) => `${one.environment}/${one.id}`),
      );
    case "--key-id":
      return keyIds(cli, data);
    case "id":
      if (isAdminKey)
        return asked(cli, data, async (client) => (await client.call("adminKeys.list")).keys.map((one) => one.id));
      if (command.parent?.name() === "incident")
        return asked(cli, data, async (client) => (await client.call("incidents.list")).incidents.map((one) => one.id));
      return keyIds(cli, data);
    case "--allow":
    case "--grant":
      return Object.keys(permissions);
    case "--code":
      return Object.keys(problems);
    case "--type":
      return (await import("../../compose/event-names.ts")).eventNames;
    case "--log":
      return ["debug", "info", "warn", "error", "silent"];
    default:
      return isPath(of) ? FILES : [];
  }
}

function isPath(of: Option | string): boolean {
  return /<(?:file|dir|directory|path)>|\bfile\b/.test(typeof of === "string" ? of : of.flags);
}

const keyIds = (cli: Cli, data: string | undefined): Promise<readonly string[]> =>
  asked(cli, data, async (client) =>
    (await client.call("keys.list", { query: { limit: 200 } })).keys.map((one) => one.id),
  );

/** By the gateway, with the caller's own permissions; nothing where it cannot be asked. */
async function asked(
  cli: Cli,
  data: string | undefined,
  ask: (client: Parameters<Parameters<typeof withClient>[2]>[0]) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  try {
    return await withClient(cli, data === undefined ? {} : { data }, ask);
  } catch {
    return [];
  }
}
