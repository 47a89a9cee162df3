/** `sallyport login | logout`: a user's session, for the programs on this machine. */
import type { Command } from "commander";
import { Problem } from "@sallyport/protocol";
import type { Cli } from "../terminal/cli.ts";
import { facts, show } from "../terminal/print.ts";

export interface LoginOptions {
  readonly url?: string;
  readonly env: string;
  readonly json?: boolean;
}

/** For commands about a person's session at one environment of a gateway. */
export function atSession(command: Command): Command {
  return command
    .requiredOption("--env <environment>", "environment to use")
    .option("--url <url>", "the gateway's address (default: SALLYPORT_URL, then http://127.0.0.1:11435)")
    .option("--json", "print JSON");
}

export function addLogin(program: Command, cli: Cli): void {
  atSession(program.command("login"))
    .description("log in at your identity provider, and store the session in the credentials file")
    .action((options: LoginOptions) => login(cli, options));
  atSession(program.command("logout"))
    .description("end the session at the gateway, and remove it from the credentials file")
    .action((options: LoginOptions) => logout(cli, options));
}

async function login(cli: Cli, { url, env: environment, json }: LoginOptions): Promise<void> {
  const { gatewayUrl, logIn, storeCredential } = await import("@sallyport/client");
  const place = { url: gatewayUrl({ url, env: cli.io.env }), environment };
  const session = await logIn({
    ...place,
    onCode({ userCode, address, expiresInSeconds }) {
      cli.io.err(`Open ${address}`);
      cli.io.err(`and compare the code: ${userCode} (${Math.round(expiresInSeconds / 60)} minutes).`);
    },
  });
  const path = storeCredential(cli.io.env, place, session.session);
  const told = { environment, url: place.url, scope: session.scope, credentials: path };
  show(cli.io, json, told, () => facts(told));
}

async function logout(cli: Cli, { url, env: environment, json }: LoginOptions): Promise<void> {
  const { forgetCredential, gatewayUrl, logOut } = await import("@sallyport/client");
  const place = { url: gatewayUrl({ url, env: cli.io.env }), environment };
  const held = forgetCredential(cli.io.env, place);
  if (held === undefined)
    throw new Problem("credential_missing", `there is no session for ${environment} of ${place.url} here`);
  await logOut(place, held);
  show(cli.io, json, { ...place, ended: true }, () => [`the session for ${environment} of ${place.url} has ended`]);
}
