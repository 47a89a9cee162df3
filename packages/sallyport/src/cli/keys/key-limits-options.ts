/** The limits of a key as options of `keys create`, in the words of the policy file. */
import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { budgetNames, priorities } from "@sallyport/protocol";
import type { BudgetName, Priority } from "@sallyport/protocol";
import { wholeNumberOption } from "../terminal/options.ts";

export interface LimitOptions extends Partial<Record<BudgetName, string>> {
  readonly requests?: string;
  readonly concurrency?: number;
  readonly weight?: number;
  readonly maxService?: string;
  readonly priority?: Priority;
}

const BUDGETS: Readonly<Record<BudgetName, [flag: string, says: string]>> = {
  tokens: ["--tokens <budget>", "most input and output tokens together, such as 200k/day"],
  inputTokens: ["--input-tokens <budget>", "most input tokens, such as 1M/week"],
  outputTokens: ["--output-tokens <budget>", "most output tokens, such as 100k/day"],
  compute: ["--compute <budget>", "most time of a model server, such as 30m/day"],
  images: ["--images <budget>", "most images and recordings, such as 100/day"],
  bytes: ["--bytes <budget>", "most bytes of requests and responses, such as 1G/day"],
};

/** Adds them to the command, and returns it. */
export function withLimits(command: Command): Command {
  command
    .option("--requests <rate>", "maximum number of requests, such as 60/min or 1000/day")
    .option("--concurrency <n>", "maximum number of concurrent requests", wholeNumberOption);
  for (const name of budgetNames) command.option(...BUDGETS[name]);
  return command
    .option("--weight <number>", "share of a busy model server beside the owner's other keys; 1", weightOption)
    .option("--max-service <duration>", "longest time one request may use a model server, such as 60s")
    .addOption(
      new Option("--priority <priority>", "batch requests wait for interactive ones (default: interactive)").choices(
        priorities,
      ),
    );
}

/** What the options say, as the API takes it. */
export function limitsOf(options: LimitOptions) {
  const { requests, concurrency, weight, maxService, priority } = options;
  const budgets: Partial<Record<BudgetName, string>> = {};
  for (const name of budgetNames) if (options[name] !== undefined) budgets[name] = options[name];
  return {
    ...(requests === undefined ? {} : { requests }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...budgets,
    ...(weight === undefined ? {} : { weight }),
    ...(maxService === undefined ? {} : { maxService }),
    ...(priority === undefined ? {} : { priority }),
  };
}

function weightOption(text: string): number {
  const weight = Number(text);
  if (!/^[0-9]{1,4}(?:\.[0-9]{1,3})?$/.test(text) || weight < 0.01 || weight > 1_000)
    throw new InvalidArgumentError("a number from 0.01 to 1000 is needed.");
  return weight;
}
