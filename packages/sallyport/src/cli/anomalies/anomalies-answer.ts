/** `sallyport anomalies list|respond`: what was noticed, and a person's word on it. */
import type { Command } from "commander";
import type { AlertView } from "@sallyport/contract";
import { parseDurationMs } from "@sallyport/contract/duration";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { wholeNumberOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show } from "../terminal/print.ts";

interface ListOptions extends ServerOptions {
  readonly since?: string;
  readonly limit: number;
}

interface RespondOptions extends ServerOptions {
  readonly falseAlarm?: boolean;
  readonly confirm?: boolean;
}

export function addAnomaliesAnswer(anomalies: Command, cli: Cli): void {
  withServer(anomalies.command("list"))
    .description("list alerts, newest first, with the automatic responses")
    .option("--since <duration>", "only alerts of this period: 24h, 7d")
    .option("--limit <n>", "maximum number of alerts", wholeNumberOption, 50)
    .action(async (options: ListOptions) => {
      const agoMs = options.since === undefined ? undefined : parseDurationMs(options.since);
      if (options.since !== undefined && agoMs === undefined)
        throw new UsageMistake(
          `${JSON.stringify(options.since)} is not a duration`,
          "write a number and a unit: 24h, 7d",
        );
      const query = { limit: options.limit, ...(agoMs === undefined ? {} : { since: Date.now() - agoMs }) };
      const found = await withClient(cli, options, (client) => client.call("anomalies.list", { query }));
      show(cli.io, options.json, found, () =>
        found.alerts.length === 0 ? ["nothing was noticed"] : found.alerts.flatMap(alertLines),
      );
    });

  withServer(anomalies.command("respond"))
    .description("classify an alert: --false-alarm undoes the automatic response, --confirm makes it permanent")
    .argument("<alert>", "the alert's id, as 'anomalies list' prints it")
    .option("--false-alarm", "a false alarm: update the baseline and undo the response")
    .option("--confirm", "confirmed misuse: a suspension becomes permanent")
    .action(async (alert: string, options: RespondOptions) => {
      if ((options.falseAlarm === true) === (options.confirm === true))
        throw new UsageMistake(
          "one of --false-alarm and --confirm is needed",
          "add --false-alarm to undo the response, or --confirm to make it permanent",
        );
      const verdict = options.falseAlarm ? "false_alarm" : "confirmed";
      const said = await withClient(cli, options, (client) =>
        client.call("anomalies.answer", { body: { alert, verdict } }),
      );
      const [environment, key] = alert.split("/");
      const late = "nothing was left to undo or to learn; your classification is in the audit log";
      show(cli.io, options.json, said, () =>
        !said.wasOpen
          ? [late]
          : verdict === "false_alarm"
            ? [`${alert}: a false alarm; what was done is taken back`]
            : [
                `${alert}: confirmed`,
                `next: sallyport incident open --key-id ${key ?? ""} (what was done with it, in ${environment ?? ""})`,
              ],
      );
    });
}

function alertLines({ alert, at, says, factors, action, held, activeUntil }: AlertView): readonly string[] {
  const done = activeUntil === null ? action : `${action} until ${activeUntil}`;
  const more = held === null ? "" : `; policy asks for ${held}, which takes a person or a second signal`;
  return [`${at} ${alert}`, `  ${says}: ${done}${more}`, ...factors.map((factor) => `  ${factor}`)];
}
