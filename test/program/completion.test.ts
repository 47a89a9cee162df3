/** Completion as people get it: the script is loaded in a real shell, and the gateway gives the values. */
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { cleanEnv, ENTRY, sallyport, sallyportJson } from "./program.ts";

const run = promisify(execFile);
const isInstalled = (shell: string): boolean => {
  try {
    execFileSync(shell, ["-c", "exit 0"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

let data: string;
let bin: string;
let keyId: string;
beforeAll(async () => {
  data = join(mkdtempSync(join(tmpdir(), "sallyport-tab-")), "data");
  bin = mkdtempSync(join(tmpdir(), "sallyport-bin-"));
  writeFileSync(join(bin, "sallyport"), `#!/bin/sh\nexec ${process.execPath} ${ENTRY} "$@"\n`, { mode: 0o755 });
  await sallyport(["init", "--json", "--data", data]);
  const words = ["keys", "create", "--env", "dev", "--name", "$(touch /tmp/never)", "--role", "cli", "--model", "*"];
  keyId = (await sallyportJson<{ id: string }>([...words, "--data", data])).id;
}, 30_000);

const env = (): Record<string, string> => ({
  ...cleanEnv(),
  PATH: `${bin}:${process.env["PATH"]}`,
  SALLYPORT_DATA: data,
  HOME: bin,
  TERM: "dumb",
});

const cases: readonly (readonly [line: string, wanted: () => readonly string[]])[] = [
  ["sallyport keys cre", () => ["create"]],
  ["sallyport audit search --si", () => ["--since"]],
  ["sallyport keys create --env d", () => ["dev"]],
  ["sallyport import --format ng", () => ["nginx-map"]],
  ["sallyport keys create --role cl", () => ["cli"]],
  ["sallyport keys create --role=cl", () => ["--role=cli"]],
  ["sallyport keys create --role chatbot,cl", () => ["chatbot,cli"]],
  ["sallyport keys create --allow infer:ch", () => ["infer:chat"]],
  ["sallyport keys show ", () => [keyId]],
  ["sallyport explain --key-id ", () => [keyId]],
  ["sallyport audit search --type key.iss", () => ["key.issued"]],
  ["sallyport audit export --format ti", () => ["tiles"]],
  ["sallyport completion z", () => ["zsh"]],
];

describe("the candidates", () => {
  it("are those of the gateway, and nothing a shell would run", async () => {
    const complete = async (...words: string[]) =>
      (await sallyport(["complete", "--", ...words], env())).stdout.split("\n");
    expect(await complete("services", "show", "")).not.toContain("$(touch /tmp/never)");
    expect(await complete("keys", "create", "--data", "")).toContain(":files");
    expect(await complete("nonsense", "")).toEqual([""]);
  });
});

const shells: Readonly<Record<string, (line: string) => Promise<readonly string[]>>> = {
  async bash(line) {
    const script = `source <(sallyport completion bash)
      COMP_LINE="$1"; COMP_POINT=\${#COMP_LINE}; read -ra COMP_WORDS <<< "$1"
      _sallyport; kept=""; cur="\${COMP_LINE##* }"
      case "$cur" in *[:=]*) kept="\${cur%"\${cur##*[:=]}"}" ;; esac
      for one in "\${COMPREPLY[@]}"; do printf '%s%s\\n' "$kept" "$one"; done`;
    return lines((await run("bash", ["--norc", "-c", script, "bash", line], { env: env() })).stdout);
  },
  async zsh(line) {
    // The line editor itself, in a terminal of its own: Tab is pressed, and the line that came of it is printed.
    const script = `zmodload zsh/zpty
      { sallyport completion zsh
        print -r -- 'show() { print -r -- "<<<$BUFFER>>>"; zle kill-buffer }; zle -N show; bindkey "^X" show; bindkey "^I" complete-word'
      } > $HOME/_script
      zpty z zsh -f -i
      zpty -w z "PS1= PS2= RPS1= ; source $HOME/_script; echo loa''ded"
      zpty -r -m z lines '*loaded*'
      zpty -w -n z "$1"$'\\t\\x18'
      zpty -r -m z lines '*<<<*>>>*'
      print -r -- "$lines"`;
    const { stdout } = await run("zsh", ["-f", "-c", script, "zsh", line], { env: env(), timeout: 20_000 });
    const buffer = /<<<([^>]*)>>>/.exec(stdout)?.[1] ?? "";
    return lines(buffer.trimEnd().replace(/^.* /, ""));
  },
  async fish(line) {
    const script = "sallyport completion fish | source; complete -C $argv[1]";
    const { stdout } = await run("fish", ["--no-config", "-c", script, line], { env: env() });
    return lines(stdout).map((one) => one.split("\t")[0]!);
  },
};

for (const [shell, press] of Object.entries(shells)) {
  const isThere = isInstalled(shell);
  if (!isThere) console.warn(`skipped: completion in ${shell}, which is not installed`);
  describe.runIf(isThere)(shell, () => {
    it.each(cases)("%s", async (line, wanted) => {
      expect(await press(line)).toEqual(wanted());
    });
  });
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
