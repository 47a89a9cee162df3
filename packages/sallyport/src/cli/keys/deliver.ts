/** `--deliver`: a one-time delivery link instead of the key. */
import { Option } from "commander";
import type { Delivery } from "@sallyport/contract";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { listOption } from "../terminal/options.ts";
import { facts, show, timeText } from "../terminal/print.ts";

export interface DeliverOptions {
  /** True, or how long the link can be opened. */
  readonly deliver?: string | true;
  readonly to?: string;
  readonly from?: string[];
}

export function deliverOption(): Option {
  return new Option(
    "--deliver [duration]",
    "print a one-time delivery link instead of the key (default: valid for 15m)",
  );
}

export function toOption(): Option {
  return new Option("--to <recipient>", "with --deliver: encrypt for this age public key");
}

export function fromOption(): Option {
  return listOption("--from <networks>", "with --deliver: networks from which it can be opened");
}

export function deliveryOf({ deliver, to, from }: DeliverOptions): Delivery | undefined {
  if (deliver === undefined) {
    if (to !== undefined || from !== undefined) throw new UsageMistake("--to and --from go with --deliver");
    return undefined;
  }
  return {
    ...(deliver === true ? {} : { ttl: deliver }),
    ...(to === undefined ? {} : { to }),
    ...(from === undefined ? {} : { from }),
  };
}

interface Ticketed {
  readonly id: string;
  readonly ticket?: string | undefined;
  readonly ticketExpiresAt?: string | undefined;
}

/** `expiresAt` is that of the link, because the link is what the caller gets. */
export function sayTicket(
  cli: Cli,
  isJson: boolean | undefined,
  { id, ticket = "", ticketExpiresAt = "" }: Ticketed,
  more: Readonly<Record<string, string>>,
): void {
  const told = { id, ticket, expiresAt: ticketExpiresAt, ...more };
  show(cli.io, isJson, told, () => facts({ id, ticket, expires: timeText(ticketExpiresAt) }));
  if (!isJson)
    cli.io.err(
      "Give the link to one person or program: `sallyport keys receive LINK` opens it once, `inspect` does not open it.",
    );
}
