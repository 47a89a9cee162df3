/** `sallyport keys mine`: a person's own keys, by the session that `sallyport login` keeps. */
import type { Command } from "commander";
import { Problem } from "@sallyport/protocol";
import type { OwnKeyStep, OwnKeyView } from "@sallyport/protocol";
import type { Cli } from "../terminal/cli.ts";
import { atSession } from "../people/login.ts";
import type { LoginOptions } from "../people/login.ts";
import { facts, show, table, timeText } from "../terminal/print.ts";
import { relativeTime } from "../terminal/relative-time.ts";

interface MineOptions extends LoginOptions {
  readonly resume?: string;
}

export function addOwnKeys(keys: Command, cli: Cli): void {
  atSession(keys.command("mine"))
    .description("list your keys, or reactivate one that was suspended for inactivity")
    .option("--resume <id>", "reactivate this key: once, until it is used")
    .action((options: MineOptions) => mine(cli, options));
}

async function mine(cli: Cli, { url, env: environment, json, resume }: MineOptions): Promise<void> {
  const { gatewayUrl, listOwnKeys, resumeOwnKey, storedKey } = await import("@sallyport/client");
  const place = { url: gatewayUrl({ url, env: cli.io.env }), environment };
  const session = storedKey(cli.io.env, place);
  if (session === undefined)
    throw new Problem(
      "credential_missing",
      `there is no session for ${environment} of ${place.url} here: log in first`,
    );
  const asked = { url: place.url, session };
  if (resume !== undefined) {
    const key = await resumeOwnKey(asked, resume);
    return show(cli.io, json, key, () =>
      facts({
        id: key.id,
        name: key.name,
        state: key.state,
        expires: timeText(key.expiresAt),
        next: nextText(key.next),
      }),
    );
  }
  const answer = await listOwnKeys(asked);
  show(cli.io, json, answer, () =>
    table(
      ["ID", "NAME", "STATE", "LAST USED", "EXPIRES", "NEXT"],
      answer.keys.map((key) => [
        key.id,
        key.name,
        stateText(key),
        relativeTime(key.lastUsedAt),
        relativeTime(key.expiresAt),
        nextText(key.next),
      ]),
      `you have no keys in ${environment}`,
    ),
  );
}

function stateText({ state, reason, isResumable }: OwnKeyView): string {
  if (reason === null) return state;
  return `${state} (${reason}${isResumable ? ", --resume" : ""})`;
}

function nextText(next: OwnKeyStep | null): string {
  return next === null ? "-" : `${next.action} ${relativeTime(next.at)} (${next.code})`;
}
