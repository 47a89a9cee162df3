/** `sallyport keys list` */
import type { Command } from "commander";
import type { ListedKey } from "@sallyport/contract";
import { didYouMean, withoutSecret } from "@sallyport/protocol";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { allKeys } from "../terminal/every-page.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { listText, show, table } from "../terminal/print.ts";
import { relativeTime } from "../terminal/relative-time.ts";
import { muted, warning } from "../terminal/styled-line.ts";
import type { Line, Piece } from "../terminal/styled-line.ts";
import { barText, shortCount } from "../usage/human-units.ts";
import { stateText } from "./key-state.ts";

interface ListOptions extends ServerOptions {
  readonly env?: string;
  readonly owner?: string;
  readonly search?: string;
  readonly state?: string;
  readonly risk?: string;
  readonly sort?: string;
}

/** The contract's words, with what a command calls them. */
const STATES = { active: "active", expired: "expired", suspended: "suspended", revoked: "revoked" } as const;
const RISKS = { expiring: "expiring", idle: "idle", "old-secret": "old_secret" } as const;

type Compare = (a: ListedKey, b: ListedKey) => number;

/** The newest, the soonest and the most come first; a key that was never used, or never expires, comes last. */
const ORDERS: Readonly<Record<string, Compare>> = {
  name: (a, b) => compareText(a.name, b.name),
  used: (a, b) => compareText(b.lastUsedAt ?? "", a.lastUsedAt ?? ""),
  created: (a, b) => compareText(b.createdAt, a.createdAt),
  expires: (a, b) => compareText(a.expiresAt ?? "~", b.expiresAt ?? "~"),
  requests: (a, b) => b.recentRequests - a.recentRequests,
};
const BAR_WIDTH = 8;
const MINUTE_MS = 60_000;

export function addKeyList(keys: Command, cli: Cli): void {
  withServer(keys.command("list"))
    .description("list keys, with their owners, last use, and requests of the last 30 days")
    .option("--env <environment>", "of one environment")
    .option("--owner <id>", "of one person or service, by id")
    .option("--search <text>", "with this piece in its name, id or owner")
    .option("--state <state>", `in one state: ${Object.keys(STATES).join(", ")}`)
    .option("--risk <risk>", `with one risk: ${Object.keys(RISKS).join(", ")}`)
    .option("--sort <order>", `by ${Object.keys(ORDERS).join(", ")} (default: environment and id)`)
    .action((options: ListOptions) => list(cli, options));
}

async function list(cli: Cli, options: ListOptions): Promise<void> {
  const compare = chosen("--sort", options.sort, ORDERS);
  const query = {
    environment: options.env,
    owner: options.owner,
    search: options.search === undefined ? undefined : withoutSecret(options.search).trim(),
    state: chosen("--state", options.state, STATES),
    risk: chosen("--risk", options.risk, RISKS),
  };
  const found = await withClient(cli, options, (client) => allKeys(client, query));
  const keys = compare ? found.toSorted(compare) : found;
  show(cli.io, options.json, { keys }, () => lines(keys, Date.now()));
}

function chosen<T>(option: string, text: string | undefined, known: Readonly<Record<string, T>>): T | undefined {
  if (text === undefined || Object.hasOwn(known, text)) return known[text ?? ""];
  throw new UsageMistake(
    `${option} ${JSON.stringify(text)} is unknown${didYouMean(text, Object.keys(known))}`,
    `known: ${Object.keys(known).join(", ")}`,
  );
}

function lines(keys: readonly ListedKey[], now: number): Line[] {
  const most = keys.reduce((max, { recentRequests }) => Math.max(max, recentRequests), 0);
  return table(
    ["ID", "ENV", "NAME", "OWNER", "STATE", "AGE", "USED", "REQUESTS 30D", "EXPIRES", "ROLES", "ALLOW", "MODELS"],
    keys.map((key) => [
      key.id,
      key.environment,
      key.name,
      key.ownerName ?? key.owner ?? "-",
      stateCell(key),
      ageText(key.createdAt, now),
      relativeTime(key.lastUsedAt),
      `${barText(key.recentRequests, most, BAR_WIDTH)} ${shortCount(key.recentRequests)}`,
      relativeTime(key.expiresAt),
      listText(key.roles),
      listText(key.allow),
      listText(key.models),
    ]),
    "no keys",
  );
}

function stateCell(key: ListedKey): Piece {
  const text = key.isDecoy ? `${stateText(key)}, canary` : stateText(key);
  return key.state === "revoked" ? muted(text) : text.startsWith("active") ? text : warning(text);
}

/** How long ago, in its largest unit. */
function ageText(iso: string, now: number): string {
  const minutes = Math.max(0, Math.floor((now - Date.parse(iso)) / MINUTE_MS));
  if (minutes < 60) return `${minutes} min`;
  return minutes < 2 * 24 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} d`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
