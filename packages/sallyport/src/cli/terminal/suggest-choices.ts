/** Options and arguments that take one of a few values say them, and the nearest, when they get another. */
import { InvalidArgumentError } from "commander";
import type { Argument, Command, Option } from "commander";
import { didYouMean } from "@sallyport/protocol";

export function suggestChoices(command: Command): void {
  for (const one of [...command.options, ...command.registeredArguments]) demandChoice(one);
  for (const inner of command.commands) suggestChoices(inner);
}

function demandChoice(one: Option | Argument): void {
  const { argChoices: choices, parseArg: parse } = one;
  if (!choices || !parse) return;
  one.parseArg = <T>(text: string, before: T): T => {
    if (!choices.includes(text))
      throw new InvalidArgumentError(`It is one of ${choices.join(", ")}${didYouMean(text, choices)}`);
    return (parse as (text: string, before: T) => T)(text, before);
  };
}
