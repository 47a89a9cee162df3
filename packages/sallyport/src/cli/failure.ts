/** How a command ends when it cannot do what it was asked: words on stderr, with the remedy, and the exit code. */
import { CommanderError } from "commander";
import { Problem, problems } from "@sallyport/protocol";
import type { Io } from "./io.ts";

/** What scripts may rely on. */
export const exits = { done: 0, refused: 1, usage: 2, fault: 3 } as const;
export type Exit = (typeof exits)[keyof typeof exits];

/** The command was not written as it must be. */
export class UsageMistake extends Error {}

/** For what needs the directory to itself. */
export function refuseBesideServer(directory: string): never {
  throw new Problem("data_in_use", `${directory}: stop the server first, and start it again afterwards`);
}

export function tellFailure(io: Io, failure: unknown): Exit {
  if (failure instanceof CommanderError) return failure.exitCode === 0 ? exits.done : exits.usage;
  if (failure instanceof UsageMistake) {
    io.err(`sallyport: ${failure.message}`);
    return exits.usage;
  }
  if (failure instanceof Problem) {
    const { title, remedy, status } = problems[failure.code];
    io.err(`sallyport: ${title}${failure.detail === undefined ? "" : `: ${failure.detail}`}`);
    for (const mistake of failure.mistakes) io.err(`  ${mistake}`);
    io.err(`  remedy: ${remedy} (${failure.code})`);
    return status >= 500 ? exits.fault : exits.refused;
  }
  const said = sayErrno(failure);
  io.err(`sallyport: ${said?.what ?? messageOf(failure)}`);
  if (said) io.err(`  remedy: ${said.remedy}`);
  return exits.fault;
}

/** What the operating system refused, in words. */
function sayErrno(failure: unknown): { readonly what: string; readonly remedy: string } | undefined {
  if (!(failure instanceof Error) || !("code" in failure)) return undefined;
  const { code, path, address, port } = failure as NodeJS.ErrnoException & { address?: string; port?: number };
  switch (code) {
    case "EADDRINUSE":
      return {
        what: `${address}:${port} is in use by another program`,
        remedy: "stop it, or choose another port with --listen and --admin-listen",
      };
    case "EADDRNOTAVAIL":
      return {
        what: `${address}:${port} is no address of this machine`,
        remedy: "listen on an address the machine has",
      };
    case "EACCES":
    case "EPERM":
      return {
        what: `no right to use ${path ?? `${address}:${port}`}`,
        remedy: "run as the user it belongs to, or choose another place",
      };
    case "EROFS":
      return {
        what: `${path ?? "the disk"} is on a read-only disk`,
        remedy: "choose another data directory with --data",
      };
    case "ENOSPC":
      return { what: `no space left for ${path ?? "the data directory"}`, remedy: "free some space and try again" };
    case "ENOENT":
      return { what: `there is no ${path ?? "such file"}`, remedy: "look whether the name is right" };
    default:
      return undefined;
  }
}

function messageOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  // Several addresses tried at once fail as one error without words of its own.
  const inner: unknown = failure instanceof AggregateError ? failure.errors[0] : failure.cause;
  const more = inner instanceof Error ? inner.message : "";
  return [failure.message, more].filter((text) => text !== "").join(": ") || failure.name;
}
