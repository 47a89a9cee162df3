/** `sallyport posture`: findings about policy, keys and the gateway, worst first; accept one until a date, reopen it. */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { isFindingCode, isGrave } from "@sallyport/protocol";
import type { FindingCode } from "@sallyport/protocol";
import { parseDurationMs } from "@sallyport/contract/duration";
import type { FindingView } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { allFindings } from "../terminal/every-page.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show, table } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";
import { relativeTime } from "../terminal/relative-time.ts";
import { error, indented, muted, warning, withCommands } from "../terminal/styled-line.ts";
import type { Line, StyledText } from "../terminal/styled-line.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { postureHtml } from "./posture-html.ts";
import { postureSarif } from "./posture-sarif.ts";

interface PostureOptions extends ServerOptions {
  readonly env?: string;
  readonly all?: boolean;
  readonly sarif?: boolean;
  readonly html?: string;
}

interface OneOptions extends ServerOptions {
  readonly env?: string;
}

export function addPosture(program: Command, cli: Cli): void {
  const posture = withServer(program.command("posture"))
    .description(
      "show findings about policy, keys and the gateway, worst first; exit code 1 if an open finding is high or critical",
    )
    .option("--env <environment>", "findings of one environment")
    .option("--all", "accepted and fixed findings, too")
    .option("--sarif", "print SARIF 2.1.0, for code scanning")
    .option("--html <file>", "write a report without scripts to a file")
    .action((options: PostureOptions) => showPosture(cli, options));

  withServer(posture.command("accept <code> <subject>"))
    .description("accept a finding until a date; it is open again after it")
    .requiredOption("--until <when>", "duration from now, such as 30d, or a time, such as 2027-01-31")
    .requiredOption("--reason <text>", "why it is acceptable")
    .option("--env <environment>", "environment of the finding; required if several have it")
    .action(async (code: string, subject: string, _options: unknown, command: Command) => {
      const { until, reason, env, ...options } = optionsOf<OneOptions & { until: string; reason: string }>(command);
      const body = { ...findingNamed(code, subject, env), until: timeFrom(until, Date.now()), reason };
      const done = await withClient(cli, options, (client) => client.call("findings.accept", { body }));
      show(cli.io, options.json, done, () => [
        `accepted ${done.code} of ${done.subject} in ${done.environment} until ${body.until}`,
      ]);
    });

  withServer(posture.command("reopen <code> <subject>"))
    .description("end the acceptance of a finding")
    .option("--env <environment>", "environment of the finding; required if several have it")
    .action(async (code: string, subject: string, _options: unknown, command: Command) => {
      const { env, ...options } = optionsOf<OneOptions>(command);
      const body = findingNamed(code, subject, env);
      const done = await withClient(cli, options, (client) => client.call("findings.reopen", { body }));
      show(cli.io, options.json, done, () => [
        `${done.code} of ${done.subject} in ${done.environment} is ${done.status}`,
      ]);
    });
}

/** Of a subcommand. `posture` has read the options that both have, and must not take its own without a word. */
function optionsOf<Options>(command: Command): Options {
  const { all, sarif, html, ...options } = command.optsWithGlobals<PostureOptions>();
  if (all || sarif || html !== undefined)
    throw new UsageMistake("--all, --sarif and --html are options of `sallyport posture` alone", "leave them out");
  return options as Options;
}

async function showPosture(cli: Cli, options: PostureOptions): Promise<void> {
  const { io } = cli;
  if (options.sarif && options.json) throw new UsageMistake("--json and --sarif exclude each other", "use one of them");
  const isForProgram = options.json || options.sarif;
  const all = await withProgress(io, { label: "judging policy and keys", isJson: isForProgram }, () =>
    withClient(cli, options, (client) => allFindings(client, { environment: options.env })),
  );
  // Scripts get everything, with its status; people and scanners get what is open.
  const findings = options.all ? all : all.filter(({ status }) => status === "open");
  if (options.html !== undefined) writeReport(options.html, postureHtml(findings, new Date().toISOString()));
  if (options.sarif) io.out(JSON.stringify(postureSarif(findings)));
  else
    show(io, options.json, { findings }, () => [
      ...describePosture(findings),
      ...(options.html === undefined ? [] : ["", `the report is in ${options.html}`]),
    ]);
  if (all.some(({ status, severity }) => status === "open" && isGrave(severity))) cli.found();
}

/** Readable by its owner only: it says where the gateway is weakest. */
function writeReport(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageMistake(`${path} cannot be written: ${reason}`, "name a file in a directory that you can write to");
  }
}

const styles = {
  critical: error,
  high: error,
  medium: warning,
  low: muted,
  info: muted,
} as const satisfies Record<FindingView["severity"], (text: string) => StyledText>;

function describePosture(findings: readonly FindingView[]): Line[] {
  if (findings.length === 0) return ["no open findings"];
  return [
    ...table(
      ["SEVERITY", "ENV", "CODE", "SUBJECT", "OWNER", "SINCE", "STATUS"],
      findings.map((one) => [
        styles[one.severity](one.severity),
        one.environment,
        one.code,
        one.subject,
        one.owner ?? "-",
        one.firstSeen === null ? "-" : relativeTime(one.firstSeen),
        one.status,
      ]),
      "",
    ),
    ...findings.flatMap((one): Line[] => [
      "",
      `${one.code} ${one.subject}`,
      indented(one.says),
      ...one.evidence.map((fact) => indented(`evidence: ${fact}`)),
      ...(one.remedy === "" ? [] : [indented(withCommands(`remedy: ${one.remedy}`))]),
      ...(one.accepted === null
        ? []
        : [indented(`accepted by ${one.accepted.by} until ${one.accepted.until}: ${one.accepted.reason}`)]),
    ]),
  ];
}

function findingNamed(code: string, subject: string, environment: string | undefined) {
  if (!isFindingCode(code))
    throw new UsageMistake(
      `there is no finding ${JSON.stringify(code)}`,
      "copy code and subject from `sallyport posture`",
    );
  const named: { code: FindingCode; subject: string; environment?: string } = { code, subject };
  return environment === undefined ? named : { ...named, environment };
}

/** A duration from now, or a time, as RFC 3339. */
function timeFrom(text: string, now: number): string {
  const fromNowMs = parseDurationMs(text);
  const time = fromNowMs === undefined ? Date.parse(text) : now + fromNowMs;
  if (Number.isNaN(time))
    throw new UsageMistake(
      `${JSON.stringify(text)} is neither a duration nor a time`,
      "write a duration from now, such as 30d, or a time, such as 2027-01-31",
    );
  return new Date(time).toISOString();
}
