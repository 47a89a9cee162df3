/**
 * The whole command line: every command, joined. Arguments in, exit code out; nothing here ends the process. A command's
 * file is loaded when it is asked for: `serve` does not wait for the code of forty others.
 */
import { Command } from "commander";
import { didYouMean } from "@sallyport/protocol";
import { VERSION } from "../version.ts";
import type { Cli } from "./terminal/cli.ts";
import type { Connect } from "./terminal/connect.ts";
import { addExamples } from "./terminal/examples.ts";
import { exits, tellFailure } from "./terminal/failure.ts";
import { UsageMistake } from "./terminal/usage-mistake.ts";
import type { Exit } from "./terminal/failure.ts";
import type { Io } from "./terminal/io.ts";
import { helpLines, printHelp } from "./terminal/print.ts";
import { suggestChoices } from "./terminal/suggest-choices.ts";

type Add = (program: Command, cli: Cli) => void;

/** In the order in which help shows them; what adds a command, by the names it adds. */
const commands: readonly (readonly [names: readonly string[], load: () => Promise<Add>])[] = [
  [["init"], async () => (await import("./directory/init.ts")).addInit],
  [["serve"], async () => (await import("./start/serve.ts")).addServe],
  [["start"], async () => (await import("./start/start.ts")).addStart],
  [["doctor"], async () => (await import("./doctor/doctor.ts")).addDoctor],
  [["console"], async () => (await import("./start/console.ts")).addConsole],
  [["top"], async () => (await import("./usage/top.ts")).addTop],
  [["requests"], async () => (await import("./usage/end-request.ts")).addRequests],
  [["status"], async () => (await import("./start/status.ts")).addStatus],
  [["today"], async () => (await import("./posture/today.ts")).addToday],
  [["posture"], async () => (await import("./posture/posture.ts")).addPosture],
  [["access"], async () => (await import("./posture/access.ts")).addAccess],
  [["rightsize"], async () => (await import("./rightsizing/rightsize.ts")).addRightsize],
  [["review"], async () => (await import("./review/review.ts")).addReview],
  [["apply"], async () => (await import("./policy/policy.ts")).addApply],
  [["policy"], async () => (await import("./policy/policy.ts")).addPolicy],
  [["explain"], async () => (await import("./policy/policy.ts")).addExplain],
  [["keys"], async () => (await import("./keys/keys.ts")).addKeys],
  [["limits"], async () => (await import("./usage/limits.ts")).addLimits],
  [["usage"], async () => (await import("./usage/usage.ts")).addUsage],
  [["import"], async () => (await import("./import/import.ts")).addImport],
  [
    ["people"],
    async () => {
      const { addPrincipals } = await import("./people/principals.ts");
      return (program, cli) => addPrincipals(program, cli, "people", "person");
    },
  ],
  [
    ["services"],
    async () => {
      const { addPrincipals } = await import("./people/principals.ts");
      return (program, cli) => addPrincipals(program, cli, "services", "service");
    },
  ],
  [["roles"], async () => (await import("./policy/policy.ts")).addRoles],
  [["envs"], async () => (await import("./policy/policy.ts")).addEnvironments],
  [["upstreams"], async () => (await import("./upstreams/upstreams.ts")).addUpstreams],
  [["audit"], async () => (await import("./audit/audit.ts")).addAudit],
  [["anomalies"], async () => (await import("./anomalies/anomalies.ts")).addAnomalies],
  [["incident"], async () => (await import("./incident/incident.ts")).addIncident],
  [["canaries"], async () => (await import("./canaries/canaries.ts")).addCanaries],
  [["leaks"], async () => (await import("./leaks/leaks.ts")).addLeaks],
  [["scan"], async () => (await import("./scan/scan.ts")).addScan],
  [["admin"], async () => (await import("./keys/admin.ts")).addAdmin],
  [["backup"], async () => (await import("./directory/backup.ts")).addBackup],
  [["restore"], async () => (await import("./directory/restore.ts")).addRestore],
  [["upgrade"], async () => (await import("./directory/upgrade.ts")).addUpgrade],
  [["migrate"], async () => (await import("./directory/migrate.ts")).addMigrate],
  [["rekey"], async () => (await import("./directory/rekey.ts")).addRekey],
  [["credential"], async () => (await import("./people/credential.ts")).addCredential],
  [["token"], async () => (await import("./people/token.ts")).addToken],
  [["login", "logout"], async () => (await import("./people/login.ts")).addLogin],
  [["completion"], async () => (await import("./terminal/completion.ts")).addCompletion],
  [["complete"], async () => (await import("./terminal/complete.ts")).addComplete],
];

/** It looks at the command that is being typed. */
const COMPLETES = "complete";

export async function runCli(argv: readonly string[], io: Io, connect: Connect): Promise<Exit> {
  let exit: Exit = exits.done;
  const isJson = wantsJson(argv);
  const cli: Cli = {
    io,
    connect,
    found: () => {
      exit = exits.refused;
    },
  };
  let program: Command | undefined;
  try {
    program = await makeProgram(cli, namedCommands(argv), isJson);
    refuseUnknownCommand(program, argv);
    await program.parseAsync([...argv], { from: "user" });
    return exit;
  } catch (failure) {
    return tellFailure(io, failure, isJson, helpCommand(program, argv));
  }
}

/** What shows the options of the command that was typed, as far as it is one. */
function helpCommand(program: Command | undefined, argv: readonly string[]): string {
  const names = ["sallyport"];
  let command = program;
  for (const word of argv) {
    command = command?.commands.find((one) => one.name() === word);
    if (!command) break;
    names.push(word);
  }
  return `${names.join(" ")} --help`;
}

/** Also before `--help`, where the library would show the help of the group and say nothing. */
function refuseUnknownCommand(program: Command, argv: readonly string[]): void {
  let command = program;
  for (const word of argv) {
    if (word.startsWith("-") || command.commands.length === 0) return;
    const inner = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (inner) {
      command = inner;
      continue;
    }
    // `restore BACKUP` and `restore confirm` both exist.
    if (word === "help" || command.registeredArguments.length > 0) return;
    const path = command === program ? "" : ` of ${command.name()}`;
    const known = command
      .createHelp()
      .visibleCommands(command)
      .map((one) => one.name());
    throw new UsageMistake(
      `unknown command${path}: ${JSON.stringify(word)}${didYouMean(word, known)}`,
      `use one of ${known.join(", ")}`,
    );
  }
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? undefined : end).includes("--json");
}

/** The commands that this line needs. */
function namedCommands(argv: readonly string[]): readonly string[] {
  const [first = "", ...words] = argv;
  if (first !== COMPLETES) return [first];
  return [first, words.find((word) => word !== "--") ?? ""];
}

/** With all commands; with those in `only` alone, where the first of them is one: the others are known by name. */
export async function makeProgram(cli: Cli, only: readonly string[] = [], isJson = false): Promise<Command> {
  const program = new Command("sallyport")
    .description("security gateway with API keys in front of Ollama")
    .version(VERSION)
    .showSuggestionAfterError();
  // Commands take these over from the program when they are made, so they are set before.
  program.exitOverride().configureOutput({
    writeOut: (text) => printHelp(cli.io, text.trimEnd()),
    // The help of a group whose command is missing. With --json, that is reported once, as JSON, like every failure.
    writeErr: (text) => {
      if (!isJson) for (const line of helpLines(text.trimEnd())) cli.io.err(line);
    },
    // A mistake in the arguments is reported like every failure, where the command line ends.
    outputError: () => {},
  });
  const isWhole = !commands.some(([names]) => names.includes(only[0] ?? ""));
  for (const [names, load] of commands) {
    if (isWhole || names.some((name) => only.includes(name))) (await load())(program, cli);
    else if (only[0] === COMPLETES) for (const name of names) program.command(name);
  }
  suggestChoices(program);
  addExamples(program);
  return program;
}
