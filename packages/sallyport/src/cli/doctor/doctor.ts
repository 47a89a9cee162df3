/** `sallyport doctor`: checks the gateway's surroundings and prints findings; exit code 1 if something is wrong. */
import { lstatSync } from "node:fs";
import type { Command } from "commander";
import { Problem, problems } from "@sallyport/protocol";
import type { Listener } from "../../config/listener-address.ts";
import type { Settings } from "../../config/settings.ts";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { adminSocket, isAnswered, readSettings } from "../terminal/connect.ts";
import { checkCertificates } from "./doctor-certificates.ts";
import { checkDirectory, checkDisk, checkNode, checkOllamaVariables } from "./doctor-host.ts";
import { checkIdentityProvider } from "./doctor-provider.ts";
import { checkSecrets } from "./doctor-secrets.ts";
import { checkUpstream } from "./doctor-upstreams.ts";
import { fine, note, wrong } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { allFindings } from "../terminal/every-page.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show, table } from "../terminal/print.ts";
import { error, ok as okText, warning } from "../terminal/styled-line.ts";
import type { Line, StyledText } from "../terminal/styled-line.ts";
import { isOpen } from "./probe.ts";
import { withProgress } from "../terminal/progress.ts";

export function addDoctor(program: Command, cli: Cli): void {
  withServer(program.command("doctor"))
    .description("check node, secrets, certificates, ports, model servers, policy and the credentials on this machine")
    .action(async (options: ServerOptions) => {
      const findings = await withProgress(cli.io, { label: "checking", isJson: options.json }, () =>
        check(cli, options),
      );
      const ok = findings.every((finding) => finding.state !== "wrong");
      show(cli.io, options.json, { ok, findings }, () => describeFindings(findings));
      if (!ok) cli.found();
    });
}

async function check(cli: Cli, options: ServerOptions): Promise<readonly Finding[]> {
  const settings = await readSettings(options, cli.io.env);
  const isRunning = await isAnswered(adminSocket(settings));
  return [
    checkNode(process.versions.node, Date.now()),
    checkDirectory(settings.dataDirectory),
    checkDisk(settings.dataDirectory),
    ...checkSecrets(settings),
    ...checkCertificates(settings.tls, Date.now()),
    await checkPort("data port", settings.listen, isRunning),
    await checkPort("admin port", settings.adminListen, isRunning),
    ...checkOllamaVariables(cli.io.env),
    ...(await checkIdentityProvider(settings.oidc, Date.now())),
    ...(await checkServer(cli, options, settings)),
    ...(await checkCredentials(cli, await tokenEnvironments(cli, options, settings))),
  ];
}

/** A table, and under it what to do about each that is not in order. */
export function describeFindings(findings: readonly Finding[]): Line[] {
  const rows = findings.map(({ check, state, says }) => [check, stateText(state), says]);
  const remedies = findings.filter(({ remedy }) => remedy !== "");
  if (remedies.length === 0) return table(["CHECK", "STATE", "SAYS"], rows, "nothing checked");
  return [
    ...table(["CHECK", "STATE", "SAYS"], rows, "nothing checked"),
    "",
    ...table(
      ["REMEDY FOR", "CODE", "DO"],
      remedies.map(({ check, code, remedy }) => [check, code, remedy]),
      "",
    ),
  ];
}

const stateStyles = { ok: okText, note: warning, wrong: error } as const;

function stateText(state: Finding["state"]): StyledText {
  return stateStyles[state](state);
}

async function checkPort(check: string, listener: Listener, isRunning: boolean): Promise<Finding> {
  const where = `${listener.host}:${listener.port}`;
  const isTaken = listener.port !== 0 && (await isOpen(listener.host, listener.port));
  if (isRunning)
    return isTaken
      ? fine(check, "port", `${where} answers`)
      : note(
          check,
          "port_elsewhere",
          `the server listens elsewhere than ${where}`,
          "run doctor with the settings of the server",
        );
  return isTaken
    ? wrong(check, "port_taken", `${where} is taken by another program`, "stop it, or choose another port")
    : fine(check, "port", `${where} is free`);
}

/** What a finding is about, unless it is policy. */
const CHECKS: Readonly<Record<string, string>> = { record_damaged: "store", sink_behind: "sinks" };

function checkOf(code: string): string {
  return CHECKS[code] ?? (/^(?:admin_)?key_/.test(code) ? "keys" : "policy");
}

/** What policy and store say, and each model server that policy names. */
async function checkServer(cli: Cli, options: ServerOptions, settings: Settings): Promise<Finding[]> {
  if (!lstatSync(settings.dataDirectory, { throwIfNoEntry: false })) return [];
  try {
    const { upstreams, findings } = await withClient(cli, options, async (client) => ({
      ...(await client.call("upstreams.list")),
      findings: await allFindings(client, { status: "open" }),
    }));
    const policy = findings.map(({ environment, code, state, says, remedy }): Finding => ({
      check: `${checkOf(code)} ${environment}`,
      code,
      state,
      says,
      remedy,
    }));
    if (upstreams.length === 0)
      policy.push(wrong("upstreams", "upstream_none", "no environment has a model server", "add one to the policy"));
    return [...policy, ...(await Promise.all(upstreams.map(checkUpstream))).flat()];
  } catch (failure) {
    const why = failure instanceof Error ? failure.message : String(failure);
    if (failure instanceof Problem)
      return [wrong("policy", failure.code, `cannot be read: ${why}`, problems[failure.code].remedy)];
    return [wrong("policy", "policy_unreadable", `cannot be read: ${why}`, "see what `sallyport status` says")];
  }
}

/** What a program on this machine would send to the gateway. */
async function checkCredentials({ io }: Cli, wantTokens: ReadonlySet<string>): Promise<Finding[]> {
  const { inspectCredentials } = await import("@sallyport/client");
  const { credential, findings: found } = await inspectCredentials({ env: io.env, isHelperRun: false });
  const isLongLived = credential?.kind === "key" && wantTokens.has(credential.environment ?? "");
  const findings = isLongLived ? [...found, longLived(credential.where, credential.environment ?? "")] : found;
  // A gateway's machine need not call models itself.
  const amiss = findings.filter(({ code }) => code !== "credential_missing");
  return amiss.map((finding) => ({ check: "credential", ...finding }));
}

function longLived(where: string, environment: string): Omit<Finding, "check"> {
  return {
    code: "key_where_tokens_wanted",
    state: "wrong",
    says: `${where} holds a key, and ${environment} takes tokens only`,
    remedy: "let the program exchange it: `sallyport token`, or resolveToken() of the client library",
  };
}

/** Environments whose policy wants tokens; none where no server can be asked. */
async function tokenEnvironments(cli: Cli, options: ServerOptions, settings: Settings): Promise<ReadonlySet<string>> {
  if (!lstatSync(settings.dataDirectory, { throwIfNoEntry: false })) return new Set();
  try {
    const { environments } = await withClient(cli, options, (client) => client.call("environments.list"));
    return new Set(environments.filter(({ tokens }) => tokens.only).map(({ name }) => name));
  } catch {
    // Another check has already reported that policy cannot be read.
    return new Set();
  }
}
