/**
 * `sallyport completion bash|zsh|fish`: a short script for the shell. At each Tab it runs `sallyport complete` (in
 * `complete.ts`), which knows the commands, so the script does not go out of date.
 */
import type { Command } from "commander";
import { Argument } from "commander";
import type { Cli } from "./cli.ts";
import { printText } from "./print.ts";

export function addCompletion(program: Command, cli: Cli): void {
  program
    .command("completion")
    .addArgument(new Argument("<shell>", "the shell that reads the script").choices(Object.keys(scripts)))
    .description("print a completion script: commands, flags, and values such as environments and key ids")
    .action((shell: string) => printText(cli.io, scripts[shell] ?? ""));
}

/**
 * Candidates are data from a server: no script evaluates them. `compgen -W` would, so bash filters in the loop.
 * bash breaks words at `:` and `=`, which permissions and `--flag=value` contain; what stands before is not replaced.
 */
const bash = `_sallyport_candidates() {
  local line="\${COMP_LINE:0:COMP_POINT}" skip="$1" candidate kept=""
  shift
  local -a typed
  read -ra typed <<< "$line"
  [[ "$line" == *[[:space:]] ]] && typed+=("")
  local cur="\${typed[\${#typed[@]}-1]}"
  case "$cur" in
    *[:=]*) kept="\${cur%"\${cur##*[:=]}"}" ;;
  esac
  COMPREPLY=()
  while IFS= read -r candidate; do
    candidate="\${candidate%%$'\\t'*}"
    if [[ "$candidate" == ":files" ]]; then
      compopt -o default 2>/dev/null
    elif [[ "$candidate" == "$cur"* ]]; then
      COMPREPLY+=("\${candidate#"$kept"}")
    fi
  done < <("$@" complete -- "\${typed[@]:skip}" 2>/dev/null)
  [[ "\${COMPREPLY[*]}" == *[,=:] ]] && compopt -o nospace 2>/dev/null
  return 0
}
_sallyport() {
  _sallyport_candidates 1 "\${COMP_WORDS[0]/#\\~/$HOME}"
}
_sallyport_npx() {
  if [[ "\${COMP_WORDS[1]}" == sallyport ]]; then
    _sallyport_candidates 2 npx --no-install sallyport
  else
    compopt -o default 2>/dev/null
    COMPREPLY=()
  fi
}
complete -F _sallyport sallyport
complete -p npx >/dev/null 2>&1 || complete -F _sallyport_npx npx`;

const zsh = `#compdef sallyport
_sallyport() {
  local -a typed candidates shown runner
  local line skip=2
  runner=("\${words[1]/#\\~/$HOME}")
  if [[ "\${words[1]}" == npx ]]; then
    [[ "\${words[2]}" == sallyport ]] || { _files; return }
    runner=(npx --no-install sallyport)
    skip=3
  fi
  typed=("\${(@)words[skip,CURRENT]}")
  while IFS= read -r line; do
    if [[ "$line" == ":files" ]]; then
      _files
      continue
    fi
    candidates+=("\${line%%$'\\t'*}")
    shown+=("\${line/$'\\t'/  -- }")
  done < <("\${runner[@]}" complete -- "\${typed[@]}" 2>/dev/null)
  (( \${#candidates} == 0 )) || compadd -l -Q -d shown -a candidates
}
if [[ "\${funcstack[1]}" == "_sallyport" ]]; then
  _sallyport "$@"
else
  (( \${+functions[compdef]} )) || { autoload -Uz compinit && compinit -D; }
  compdef _sallyport sallyport
  (( \${+_comps[npx]} )) || compdef _sallyport npx
fi`;

const fish = `function __sallyport_complete
  set -l typed (commandline -opc)
  set -l current (commandline -ct)
  set -l runner $typed[1]
  set -l skip 2
  if test "$typed[1]" = npx
    set runner npx --no-install sallyport
    set skip 3
  end
  set -l rest $typed[$skip..-1]
  for line in ($runner complete -- $rest "$current" 2>/dev/null)
    if test "$line" = ":files"
      __fish_complete_path "$current"
    else
      echo $line
    end
  end
end
complete -c sallyport -f -a '(__sallyport_complete)'
complete -c npx -n 'set -l typed (commandline -opc); test (count $typed) -ge 2; and test "$typed[2]" = sallyport' -f -a '(__sallyport_complete)'`;

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish };
