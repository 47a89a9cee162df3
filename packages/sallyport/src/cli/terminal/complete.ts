/**
 * `sallyport complete -- WORDS…`, which completion scripts run at each Tab: the candidates for the last word, one a line,
 * `:files` where a path is meant. It never fails aloud and never asks: a shell has no place for that.
 */
import type { Command, Option } from "commander";
import type { Cli } from "./cli.ts";
import { FILES, valuesOf } from "./completion-values.ts";
import type { Completion } from "./completion-values.ts";
import { runningGateway } from "./running-gateway.ts";

/** Characters that are literal in every shell. Other names are skipped; ids always match. */
const PLAIN = /^[A-Za-z0-9_.:@/*+-]+$/;
const CANDIDATES_MAX = 500;

export function addComplete(program: Command, cli: Cli): void {
  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .description("print completions for the last word; used by completion scripts")
    .action(async (words: string[]) => {
      for (const { value, says = "" } of await candidatesFor(program, cli, words).catch(() => []))
        cli.io.out(says === "" ? value : `${value}\t${says.replaceAll("\t", " ")}`);
    });
}

export async function candidatesFor(
  program: Command,
  cli: Cli,
  words: readonly string[],
): Promise<readonly Completion[]> {
  const current = words.at(-1) ?? "";
  const { command, waiting, position, values: given } = readTyped(program, words.slice(0, -1));
  const list = async (of: Option | string, prefix: string, typed: string): Promise<readonly Completion[]> => {
    const before = typed.slice(0, typed.lastIndexOf(",") + 1);
    const gateway = runningGateway(cli.io.env, given.get("--data"));
    const values = await valuesOf({ of, command, environment: given.get("--env"), gateway });
    if (values === FILES) return [{ value: FILES }];
    return values
      .filter(({ value }) => PLAIN.test(value))
      .map(({ value, ...more }) => ({ value: prefix + before + value, ...more }))
      .filter(({ value }) => value.startsWith(current))
      .slice(0, CANDIDATES_MAX);
  };
  const plain = (values: readonly string[]): readonly Completion[] =>
    values.filter((value) => value.startsWith(current)).map((value) => ({ value }));
  if (waiting) return list(waiting, "", current);
  const equals = current.startsWith("--") ? current.indexOf("=") : -1;
  if (equals > 0) {
    const option = command.options.find(({ long }) => long === current.slice(0, equals));
    return option ? list(option, current.slice(0, equals + 1), current.slice(equals + 1)) : [];
  }
  if (current.startsWith("-")) return plain(flagsOf(command));
  const visible = command
    .createHelp()
    .visibleCommands(command)
    .map((one) => one.name());
  const fitting = position > 0 ? [] : plain(visible);
  if (visible.length > 0 && command.registeredArguments.length === 0) return fitting;
  const argument = command.registeredArguments[position];
  if (argument?.argChoices) return plain(argument.argChoices);
  // `restore FOLDER` and `restore confirm` both exist.
  return argument ? [...fitting, ...(await list(argument.name(), "", current))] : plain(flagsOf(command));
}

interface Typed {
  readonly command: Command;
  /** An option whose value comes next. */
  readonly waiting: Option | undefined;
  /** Which of the command's arguments comes next. */
  readonly position: number;
  /** What options were given, by their long names. */
  readonly values: ReadonlyMap<string, string>;
}

function readTyped(program: Command, words: readonly string[]): Typed {
  let command = program;
  let waiting: Option | undefined;
  let position = 0;
  const values = new Map<string, string>();
  for (const word of words) {
    if (waiting) {
      values.set(waiting.long ?? "", word);
      waiting = undefined;
    } else if (word.startsWith("-")) {
      const option = command.options.find(({ long, short }) => long === word || short === word);
      if (option && (option.required || option.optional)) waiting = option;
      const equals = word.indexOf("=");
      if (equals > 0) values.set(word.slice(0, equals), word.slice(equals + 1));
    } else {
      const inner = command.commands.find((one) => one.name() === word);
      if (inner) command = inner;
      else position++;
    }
  }
  return { command, waiting, position, values };
}

function flagsOf(command: Command): string[] {
  return [...command.options.map(({ long }) => long ?? "").filter((flag) => flag !== ""), "--help"];
}
