/** Completion as people get it: the script is loaded in a real shell on a terminal, Tab is pressed, the gateway gives the values. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasTerminals, onTerminal } from "./on-terminal.ts";
import type { OnTerminal } from "./on-terminal.ts";
import { cleanEnv, ENTRY, sallyport, sallyportJson, serve } from "./program.ts";
import type { Serving } from "./program.ts";

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
let models: Server;
let gateway: Serving;
let strangeId: string;
let appId: string;
beforeAll(async () => {
  data = join(mkdtempSync(join(tmpdir(), "sallyport-tab-")), "data");
  bin = mkdtempSync(join(tmpdir(), "sallyport-bin-"));
  writeFileSync(join(bin, "sallyport"), `#!/bin/sh\nexec ${process.execPath} ${ENTRY} "$@"\n`, { mode: 0o755 });
  const list = { models: [{ name: "qwen3:8b" }, { name: "$(touch /tmp/never)" }, { name: "far:cloud" }] };
  models = createServer((_request, answer) => answer.end(JSON.stringify(list)));
  await new Promise<void>((resolve) => models.listen(0, "127.0.0.1", resolve));
  await sallyport(["init", "--json", "--data", data]);
  const policy = join(bin, "policy.yaml");
  const { port } = models.address() as AddressInfo;
  writeFileSync(policy, `environments: { dev: { upstreams: [{ url: "http://127.0.0.1:${port}" }] } }\n`);
  await sallyport(["apply", "-f", policy, "--yes", "--data", data]);
  const create = async (name: string): Promise<string> => {
    const words = ["keys", "create", "--env", "dev", "--name", name, "--role", "cli", "--model", "*", "--data", data];
    return (await sallyportJson<{ id: string }>(words)).id;
  };
  strangeId = await create("$(touch /tmp/never)");
  appId = await create("my-app");
  await sallyport(["people", "create", "--name", "ada", "--data", data]);
  gateway = await serve(data);
}, 60_000);
afterAll(async () => {
  models.close();
  gateway.child.kill("SIGTERM");
  await gateway.ended;
});

const env = (): Record<string, string> => ({
  ...cleanEnv(),
  PATH: `${bin}:${process.env["PATH"]}`,
  SALLYPORT_DATA: data,
  HOME: bin,
});

const cases: readonly (readonly [line: string, wanted: () => string])[] = [
  ["sallyport keys cre", () => "create"],
  ["sallyport audit search --si", () => "--since"],
  ["sallyport keys create --env d", () => "dev"],
  ["sallyport import --format ng", () => "nginx-map"],
  ["sallyport keys create --role cl", () => "cli"],
  ["sallyport keys create --role=cl", () => "--role=cli"],
  ["sallyport keys create --role chatbot,cl", () => "chatbot,cli"],
  ["sallyport keys create --allow infer:ch", () => "infer:chat"],
  ["sallyport keys create --env dev --model qw", () => "qwen3:8b"],
  ["sallyport keys create --model qwen3:", () => "qwen3:8b"],
  ["sallyport keys show my", () => "my-app"],
  ["sallyport explain --key-id my", () => "my-app"],
  ["sallyport audit search --type key.iss", () => "key.issued"],
  ["sallyport audit export --format ti", () => "tiles"],
  ["sallyport people show ad", () => "ada"],
  ["sallyport services show my", () => "my-app"],
  ["sallyport roles show chatb", () => "chatbot"],
  ["sallyport envs show d", () => "dev"],
  ["sallyport completion z", () => "zsh"],
];

describe("the candidates", () => {
  const complete = async (words: readonly string[], more: Record<string, string> = {}): Promise<readonly string[]> =>
    (await sallyport(["complete", "--", ...words], { ...env(), ...more })).stdout
      .split("\n")
      .filter((one) => one !== "");

  /** A Tab waits a second at most, and gets nothing from a machine that is busier than that: it is pressed again. */
  const answered = async (words: readonly string[]): Promise<readonly string[]> => {
    for (let i = 0; i < 20; i++) {
      const found = await complete(words);
      if (found.length > 0) return found;
    }
    return [];
  };

  it("are names and ids, each with the other, and nothing a shell would run", async () => {
    const keys = await answered(["keys", "show", ""]);
    expect(keys).toContain(`my-app\tdev, ${appId}`);
    expect(keys).toContain(`${appId}\tmy-app, dev`);
    expect(keys.map((one) => one.split("\t")[0])).toEqual(["my-app", ...[strangeId, appId].toSorted()]);
    expect(await answered(["keys", "create", "--model", ""])).toEqual(["qwen3:8b"]);
    expect(await complete(["keys", "create", "--env", "nothing", "--model", ""])).toEqual([]);
  });

  it("are files where a path is meant", async () => {
    for (const words of [
      ["keys", "create", "--data", ""],
      ["audit", "verify", ""],
      ["restore", ""],
    ])
      // prettier-ignore
      expect(await complete(words)).toContain(":files");
  });

  it("are none, without a word, where no gateway runs", async () => {
    const none = mkdtempSync(join(tmpdir(), "sallyport-none-"));
    const ended = await sallyport(["complete", "--", "keys", "show", ""], { ...env(), SALLYPORT_DATA: none });
    expect(ended).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await complete(["keys", "create", "--env", ""], { SALLYPORT_ADMIN_URL: "http://127.0.0.1:1" })).toEqual([]);
    expect(await complete(["nonsense", ""])).toEqual([]);
    expect(await complete(["ke"])).toEqual(["keys"]);
  });
});

/** Ctrl-T shows the line as Tab has left it, and Ctrl-U empties it. */
const shells: Readonly<Record<string, { readonly words: readonly string[]; readonly setup: string }>> = {
  bash: {
    words: ["bash", "--norc", "--noprofile", "-i"],
    setup: `source <(sallyport completion bash); bind -x '"\\C-t": echo "<<<$READLINE_LINE>>>"'; PS1=; echo loaded`,
  },
  zsh: {
    words: ["zsh", "-f", "-i"],
    setup: `PS1= PS2= RPS1=; source <(sallyport completion zsh); show() { print -r -- "<<<$BUFFER>>>" }; zle -N show; bindkey "^T" show; bindkey "^U" kill-whole-line; bindkey "^I" complete-word; echo loaded`,
  },
  fish: {
    words: ["fish", "--no-config", "-i"],
    setup: `sallyport completion fish | source; function fish_prompt; end; bind \\ct 'echo "<<<"(commandline)">>>"'; bind \\cu kill-whole-line; echo loaded`,
  },
};

for (const [shell, { words, setup }] of Object.entries(shells)) {
  const isThere = hasTerminals && isInstalled(shell);
  if (!isThere) console.warn(`skipped: completion in ${shell}, because ${shell} or script is not installed`);
  describe.runIf(isThere)(shell, () => {
    let terminal: OnTerminal;
    beforeAll(async () => {
      const file = join(bin, `setup.${shell}`);
      writeFileSync(file, `${setup}\n`);
      terminal = onTerminal(words, env(), 250);
      terminal.press(`source ${file}\r`);
      await terminal.shows("loaded");
    }, 60_000);
    afterAll(async () => {
      terminal.press("exit\r");
      await terminal.ended;
    });

    it.each(cases)("%s", async (line, wanted) => {
      terminal.press(`${line}\t\x14`);
      await terminal.shows(/<<<[^>]*>>>/);
      terminal.press("\x15");
      const shown = terminal
        .screen()
        .match(/<<<[^>]*>>>/g)!
        .at(-1)!;
      expect(shown.slice(3, -3).trimEnd()).toBe(`${line.slice(0, line.lastIndexOf(" ") + 1)}${wanted()}`);
    });
  });
}
