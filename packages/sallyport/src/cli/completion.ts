/** `sallyport completion bash|zsh`: a script made by walking the commands, so that it cannot fall behind them. */
import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { printText } from "./print.ts";
import { UsageMistake } from "./failure.ts";

export function addCompletion(program: Command, cli: Cli): void {
  program
    .command("completion <shell>")
    .description("print a completion script for bash or zsh")
    .action((shell: string) => {
      if (shell !== "bash" && shell !== "zsh") throw new UsageMistake("completion is for bash or zsh");
      printText(cli.io, completionScript(program, shell));
    });
}

export function completionScript(program: Command, shell: "bash" | "zsh"): string {
  // The longest path first: the first pattern that fits is taken.
  const cases = walk(program, "")
    .sort((a, b) => b.path.length - a.path.length)
    .map(({ path, words }) => `    ${path === "" ? "*" : `"${path}"*`}) words="${words.join(" ")}" ;;`);
  return [
    ...(shell === "zsh" ? ["autoload -U +X bashcompinit && bashcompinit"] : []),
    "_sallyport() {",
    '  local word words path="" cur="${COMP_WORDS[COMP_CWORD]}"',
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    '    case "$word" in -*) ;; *) path="$path $word" ;; esac',
    "  done",
    '  case "$path" in',
    ...cases,
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
    "}",
    "complete -o default -F _sallyport sallyport",
  ].join("\n");
}

interface Words {
  /** ` keys create` */
  readonly path: string;
  readonly words: readonly string[];
}

function walk(command: Command, path: string): Words[] {
  const names = command.commands.map((inner) => inner.name());
  const flags = command.options.map((option) => option.long).filter((flag) => flag !== null && flag !== undefined);
  return [
    { path, words: [...names, ...flags, "--help"] },
    ...command.commands.flatMap((inner) => walk(inner, `${path} ${inner.name()}`)),
  ];
}
