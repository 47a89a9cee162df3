/** How a command ends when it cannot do what it was asked: words on stderr, with the remedy, and the exit code. */
import { CommanderError } from "commander";
import { Problem, problems } from "@sallyport/protocol";
import { SettingsMistakes } from "../config/settings-mistakes.ts";
import type { Io } from "./io.ts";
import { sayRefusedBySystem } from "./refused-by-system.ts";

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
  if (failure instanceof SettingsMistakes) {
    io.err("sallyport: the settings have mistakes");
    for (const mistake of failure.mistakes) io.err(`  ${mistake}`);
    io.err("  remedy: mend them; `sallyport serve --help` and docs/reference/settings.md tell what there is");
    return exits.usage;
  }
  if (failure instanceof Problem) {
    const { title, remedy, status } = problems[failure.code];
    io.err(`sallyport: ${title}${failure.detail === undefined ? "" : `: ${failure.detail}`}`);
    for (const mistake of failure.mistakes) io.err(`  ${mistake}`);
    io.err(`  remedy: ${remedy} (${failure.code})`);
    if (failure.code === "unknown_environment") return exits.usage;
    return status >= 500 ? exits.fault : exits.refused;
  }
  const said = sayRefusedBySystem(failure);
  io.err(`sallyport: ${said?.what ?? messageOf(failure)}`);
  if (said) io.err(`  remedy: ${said.remedy}`);
  return exits.fault;
}

function messageOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  // Several addresses tried at once fail as one error without words of its own.
  const inner: unknown = failure instanceof AggregateError ? failure.errors[0] : failure.cause;
  const more = inner instanceof Error ? inner.message : "";
  return [failure.message, more].filter((text) => text !== "").join(": ") || failure.name;
}
