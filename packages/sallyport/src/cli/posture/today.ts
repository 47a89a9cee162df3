/** `sallyport today`: the five things that need a person now, worst first, each with its command. */
import type { Command } from "commander";
import type { TodayTask } from "@sallyport/client";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show, warn } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";
import { indented, withCommands } from "../terminal/styled-line.ts";
import type { Line } from "../terminal/styled-line.ts";

export function addToday(program: Command, cli: Cli): void {
  withServer(program.command("today"))
    .description("show the five things that need a person now, worst first, each with its command")
    .action(async (options: ServerOptions) => {
      const { io } = cli;
      // A Tab loads this file, and not the schemas behind the client.
      const { TODAY_SHOWN, todayTasks } = await import("@sallyport/client");
      const unread: string[] = [];
      const tasks = await withProgress(io, { label: "looking for what needs a person", isJson: options.json }, () =>
        withClient(cli, options, (client) => todayTasks(client, Date.now(), (what) => unread.push(what))),
      );
      const today = tasks.slice(0, TODAY_SHOWN);
      for (const what of unread) warn(io, `this key may not read ${what}, so they are missing here`);
      show(io, options.json, { tasks: today, more: tasks.length - today.length, notRead: unread }, () =>
        describeToday(today, tasks.length - today.length),
      );
    });
}

function describeToday(tasks: readonly TodayTask[], more: number): Line[] {
  if (tasks.length === 0) return ["nothing needs a person now"];
  return [
    ...tasks.flatMap(({ severity, environment, says, command }, at): Line[] => [
      `${at + 1}. ${severity}, ${environment}: ${says}`,
      indented(withCommands(command), "   "),
    ]),
    ...(more > 0 ? ["", `${more} more: sallyport posture`] : []),
  ];
}
