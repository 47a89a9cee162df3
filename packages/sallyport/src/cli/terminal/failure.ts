/**
 * How a command ends when it cannot do what it was asked: the reason and the remedy on stderr, and the exit code. With
 * `--json` that is one line of JSON on stderr, `{"error":{"code","message","remedy"}}`, and nothing on stdout.
 */
import { Problem, problems } from "@sallyport/protocol";
import { CommanderError } from "commander";
import { SettingsMistakes } from "../../config/settings-mistakes.ts";
import { Cancelled } from "./cancelled.ts";
import type { Io } from "./io.ts";
import { HELP, SEE_HELP, UsageMistake } from "./usage-mistake.ts";
import { sayRefusedBySystem } from "./refused-by-system.ts";
import { error, muted, withCommands } from "./styled-line.ts";

/** What scripts may rely on. */
export const exits = { done: 0, refused: 1, usage: 2, fault: 3 } as const;
export type Exit = (typeof exits)[keyof typeof exits];

/** For what needs the directory to itself. */
export function refuseBesideServer(directory: string): never {
  throw new Problem("data_in_use", `${directory}: stop the server first, and start it again afterwards`);
}

/** What the library calls it when a group was typed without one of its commands. */
const GROUP_HELP = "commander.help";

export interface Failure {
  /** A problem code, or `usage`, `settings_invalid`, `gateway_unreachable`, `system`, `cancelled`, `fault`. */
  readonly code: string;
  readonly message: string;
  readonly mistakes: readonly string[];
  readonly remedy: string;
  readonly exit: Exit;
}

/** `helpCommand` shows the options of the command that failed. */
export function tellFailure(io: Io, thrown: unknown, isJson = false, helpCommand = HELP): Exit {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return exits.done;
    // The help of a group is what was missing, and it has been shown.
    if (thrown.code === GROUP_HELP && !isJson) return exits.usage;
  }
  // A user who cancels knows it: only the prompt of the shell needs a separate line.
  if (thrown instanceof Cancelled && !isJson) {
    io.err("");
    return exits.refused;
  }
  const { code, message, mistakes, remedy: general, exit } = describeFailure(thrown);
  const remedy = general.replace(HELP, helpCommand);
  if (isJson) {
    const told = { code, message, remedy, ...(mistakes.length > 0 ? { mistakes } : {}) };
    io.err(JSON.stringify({ error: told }));
    return exit;
  }
  io.err([error("sallyport:"), ` ${message}`]);
  for (const mistake of mistakes) io.err(`  ${mistake}`);
  const named = Object.hasOwn(problems, code) ? ` (${code})` : "";
  if (remedy !== "") io.err(["  remedy: ", ...withCommands(remedy), muted(named)]);
  return exit;
}

export function describeFailure(thrown: unknown): Failure {
  if (thrown instanceof CommanderError) {
    const message = thrown.code === GROUP_HELP ? "a command is missing" : mistakeText(thrown.message);
    return { code: "usage", message, mistakes: [], remedy: SEE_HELP, exit: exits.usage };
  }
  if (thrown instanceof UsageMistake)
    return {
      code: "usage",
      message: thrown.message,
      mistakes: thrown.mistakes,
      remedy: thrown.remedy,
      exit: exits.usage,
    };
  if (thrown instanceof Cancelled)
    return {
      code: "cancelled",
      message: thrown.message,
      mistakes: [],
      remedy: "run the command again and answer, or pass --yes where the command has it",
      exit: exits.refused,
    };
  if (thrown instanceof SettingsMistakes)
    return {
      code: "settings_invalid",
      message: "the settings have mistakes",
      mistakes: thrown.mistakes,
      remedy: "correct them; `sallyport serve --help` and docs/reference/settings.md list every setting",
      exit: exits.usage,
    };
  if (thrown instanceof Problem) {
    const { code, detail, mistakes } = thrown;
    const { title, remedy, status } = problems[code];
    const message = detail === undefined ? title : `${title}: ${detail}`;
    const exit = code === "unknown_environment" ? exits.usage : status >= 500 ? exits.fault : exits.refused;
    return { code, message, mistakes, remedy, exit };
  }
  const unreachable = sayUnreachable(thrown);
  if (unreachable) return { code: "gateway_unreachable", ...unreachable, mistakes: [], exit: exits.fault };
  const bySystem = sayRefusedBySystem(thrown);
  if (bySystem)
    return { code: "system", message: bySystem.what, mistakes: [], remedy: bySystem.remedy, exit: exits.fault };
  return { code: "fault", message: messageOf(thrown), mistakes: [], remedy: "", exit: exits.fault };
}

/** In the form of our own sentences: the library writes `error: …`, and suggestions on a separate line. */
function mistakeText(message: string): string {
  const [sentence = "", suggestion = ""] = message.replace(/^error: /, "").split("\n");
  const near = /^\(Did you mean (.+)\?\)$/.exec(suggestion)?.[1];
  return near === undefined ? sentence : `${sentence}; did you mean ${near}?`;
}

function messageOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  // Several addresses that fail at once are one error without a message.
  const inner: unknown = failure instanceof AggregateError ? failure.errors[0] : failure.cause;
  const more = inner instanceof Error ? inner.message : "";
  return [failure.message, more].filter((text) => text !== "").join(": ") || failure.name;
}

/** By shape, not by class: the client library is loaded only where it is used. */
interface Unreachable extends Error {
  readonly where: string;
  readonly code: string | undefined;
}

function sayUnreachable(thrown: unknown): { readonly message: string; readonly remedy: string } | undefined {
  if (!(thrown instanceof Error) || thrown.name !== "GatewayUnreachable") return undefined;
  const { message, where, code = "" } = thrown as Unreachable;
  return { message, remedy: remedyFor(code, where, message) };
}

function remedyFor(code: string, where: string, message: string): string {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return "correct the host name in --url, SALLYPORT_URL or SALLYPORT_ADMIN_URL";
  if (/CERT|SELF_SIGNED|ISSUER|ERR_TLS|LEAF_SIGNATURE/.test(code))
    return "check the certificate; for a CA of your own set NODE_EXTRA_CA_CERTS to its PEM file";
  if (code === "EPROTO" || code.startsWith("ERR_SSL"))
    return `check whether ${where} speaks TLS: use http:// only for an address of this machine`;
  // What follows redirects would take the credential elsewhere.
  if (message.endsWith("unexpected redirect"))
    return `${where} redirects: use the address it redirects to in --url, SALLYPORT_URL or SALLYPORT_ADMIN_URL`;
  return `start the gateway at ${where}, or correct --url, SALLYPORT_URL or SALLYPORT_ADMIN_URL; on the gateway's machine \`sallyport status\` shows where it listens`;
}
