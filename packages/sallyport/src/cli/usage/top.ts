/** `sallyport top`: who runs and who waits, again and again. */
import type { Command } from "commander";
import type { AdminClient } from "@sallyport/client";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show } from "../terminal/print.ts";
import { openScreen } from "../terminal/screen.ts";
import type { Screen } from "../terminal/screen.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { topLines } from "./top-lines.ts";

interface TopOptions extends ServerOptions {
  readonly env?: string;
  readonly once?: boolean;
  readonly every: string;
}

export function addTop(program: Command, cli: Cli): void {
  withServer(program.command("top"))
    .description("show what runs and waits, each user's share, and how full budgets are, until q or Ctrl-C")
    .option("--env <environment>", "of one environment")
    .option("--once", "show it once and end, as in a pipe or with --json")
    .option("--every <seconds>", "how often it is drawn", "2")
    .action((options: TopOptions) => top(cli, options));
}

async function top(cli: Cli, options: TopOptions): Promise<void> {
  const seconds = Number(options.every);
  if (!(seconds >= 0.5 && seconds <= 60))
    throw new UsageMistake(`--every ${JSON.stringify(options.every)} is not a number of seconds from 0.5 to 60`);
  const query = options.env === undefined ? {} : { environment: options.env };
  await withClient(cli, options, async (client) => {
    const activity = await client.call("activity", { query });
    if (options.json || options.once || !cli.io.isTerminal)
      return show(cli.io, options.json, activity, () => topLines(activity));
    const screen = openScreen(process.stdout, cli.io.env);
    try {
      screen.draw(topLines(activity, screen.rows));
      await follow(client, query, screen, 1_000 * seconds);
    } finally {
      screen.end();
    }
  });
}

/** Draws until the user ends it, or the gateway no longer answers. */
async function follow(
  client: AdminClient,
  query: { environment?: string },
  screen: Screen,
  everyMs: number,
): Promise<void> {
  const keyboard = listen();
  try {
    for (;;) {
      if (await keyboard.endsWithin(everyMs)) return;
      screen.draw(topLines(await client.call("activity", { query }), screen.rows));
    }
  } finally {
    keyboard.close();
  }
}

interface Keyboard {
  /** True when the user asked to end before that time was over. */
  endsWithin(ms: number): Promise<boolean>;
  close(): void;
}

const ENDING = new Set(["q", "Q", "\u0003", "\u0004", "\u001b"]);

function listen(): Keyboard {
  const { stdin } = process;
  let isEnding = false;
  let wake = (): void => {};
  const onData = (data: Buffer): void => {
    for (const character of data.toString("latin1")) isEnding ||= ENDING.has(character);
    if (isEnding) wake();
  };
  const onSignal = (): void => {
    isEnding = true;
    wake();
  };
  const isRaw = stdin.isTTY;
  if (isRaw) stdin.setRawMode(true);
  stdin.on("data", onData).resume();
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return {
    endsWithin: (ms) =>
      new Promise((resolve) => {
        if (isEnding) return resolve(true);
        const timer = setTimeout(() => resolve(false), ms);
        wake = () => {
          clearTimeout(timer);
          resolve(true);
        };
      }),
    close() {
      stdin.off("data", onData).pause();
      if (isRaw) stdin.setRawMode(false);
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    },
  };
}
