/** `sallyport usage mine`: what this machine's credential used. */
import type { Cli } from "../terminal/cli.ts";
import { show } from "../terminal/print.ts";
import { timeMsOf } from "../terminal/when.ts";
import { tableLines } from "./usage-table.ts";

export interface MineOptions {
  readonly url?: string;
  readonly env?: string;
  readonly since?: string;
  readonly json?: boolean;
}

const SUBJECT = [
  ["KEY", "keyName"],
  ["MODEL", "model"],
] as const;

export async function showOwnUsage(cli: Cli, { url, env: environment, since, json }: MineOptions): Promise<void> {
  const { readOwnUsage } = await import("@sallyport/client");
  const answer = await readOwnUsage({ url, environment, env: cli.io.env, since: timeMsOf(since, Date.now()) });
  show(cli.io, json, answer, () => [
    ...tableLines(answer.rows, SUBJECT, null),
    "",
    `${answer.since} to ${answer.until} (UTC) in ${answer.environment}`,
    ...(answer.isTruncated ? ["there are more rows than an answer holds"] : []),
  ]);
}
