/** The whole command line: every command, joined. Arguments in, exit code out; nothing here ends the process. */
import { Command } from "commander";
import { VERSION } from "../version.ts";
import { addAdmin } from "./admin.ts";
import { addAnomalies } from "./anomalies.ts";
import { addAudit } from "./audit.ts";
import type { Cli } from "./cli.ts";
import { addBackup } from "./backup.ts";
import { addCompletion } from "./completion.ts";
import type { Connect } from "./connect.ts";
import { addCredential } from "./credential.ts";
import { addLogin } from "./login.ts";
import { addToken } from "./token.ts";
import { addDoctor } from "./doctor.ts";
import { exits, tellFailure } from "./failure.ts";
import type { Exit } from "./failure.ts";
import { addIncident } from "./incident.ts";
import { addInit } from "./init.ts";
import type { Io } from "./io.ts";
import { addKeys } from "./keys.ts";
import { addApply, addEnvironments, addExplain, addRoles, addUpstreams } from "./policy.ts";
import { addPrincipals } from "./principals.ts";
import { addRekey } from "./rekey.ts";
import { addRestore } from "./restore.ts";
import { addServe } from "./serve.ts";
import { addStart } from "./start.ts";
import { addStatus } from "./status.ts";

export async function runCli(argv: readonly string[], io: Io, connect: Connect): Promise<Exit> {
  let exit: Exit = exits.done;
  const cli: Cli = {
    io,
    connect,
    found: () => {
      exit = exits.refused;
    },
  };
  try {
    await makeProgram(cli).parseAsync([...argv], { from: "user" });
    return exit;
  } catch (failure) {
    return tellFailure(io, failure);
  }
}

export function makeProgram(cli: Cli): Command {
  const program = new Command("sallyport")
    .description("security gateway with API keys in front of Ollama")
    .version(VERSION)
    .showHelpAfterError("(--help tells the options)")
    .showSuggestionAfterError();
  // Commands take these over from the program when they are made, so they are set before.
  program.exitOverride().configureOutput({
    writeOut: (text) => cli.io.out(text.trimEnd()),
    writeErr: (text) => cli.io.err(text.trimEnd()),
  });
  addInit(program, cli);
  addServe(program, cli);
  addStart(program, cli);
  addDoctor(program, cli);
  addStatus(program, cli);
  addApply(program, cli);
  addExplain(program, cli);
  addKeys(program, cli);
  addPrincipals(program, cli, "people", "person");
  addPrincipals(program, cli, "services", "service");
  addRoles(program, cli);
  addEnvironments(program, cli);
  addUpstreams(program, cli);
  addAudit(program, cli);
  addAnomalies(program, cli);
  addIncident(program, cli);
  addAdmin(program, cli);
  addBackup(program, cli);
  addRestore(program, cli);
  addRekey(program, cli);
  addCredential(program, cli);
  addToken(program, cli);
  addLogin(program, cli);
  addCompletion(program, cli);
  return program;
}
