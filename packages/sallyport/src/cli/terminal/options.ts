/** The options that many commands share, each written once. */
import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";

export interface ServerOptions {
  readonly data?: string;
  readonly settings?: string;
  readonly json?: boolean;
}

/** For commands that speak to a server, or open the data directory where none runs. */
export function withServer(command: Command): Command {
  return command
    .option("--data <dir>", "data directory (SALLYPORT_DATA, else ~/.sallyport)")
    .option("--settings <file>", "settings file (SALLYPORT_SETTINGS, else sallyport.yaml in the data directory)")
    .option("--json", "print JSON");
}

/** A list: comma-separated, repeatable, or both. */
export function listOption(flags: string, description: string): Option {
  return new Option(flags, `${description} (comma-separated or repeated)`).argParser(
    (text: string, before: string[] | undefined) => [
      ...(before ?? []),
      ...text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    ],
  );
}

export function wholeNumberOption(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError("a whole number is needed.");
  return Number(text);
}
