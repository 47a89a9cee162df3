/** `--deliver`: a ticket in the key's place. */
import { Option } from "commander";
import type { Delivery } from "@sallyport/contract";
import type { Cli } from "../terminal/cli.ts";
import { UsageMistake } from "../terminal/failure.ts";
import { listOption } from "../terminal/options.ts";
import { facts, show, timeText } from "../terminal/print.ts";

export interface DeliverOptions {
  /** True, or how long the ticket can be opened. */
  readonly deliver?: string | true;
  readonly to?: string;
  readonly from?: string[];
}

export function deliverOption(): Option {
  return new Option("--deliver [duration]", "give a ticket that is opened once instead of the key (15m unless said)");
}

export function toOption(): Option {
  return new Option("--to <recipient>", "with --deliver: age public key of who alone can read it");
}

export function fromOption(): Option {
  return listOption("--from <networks>", "with --deliver: networks it may be opened from");
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

/** `expiresAt` of the answer is the ticket's: it is what is given. */
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
      "Give the ticket to one person or program: `sallyport keys receive TICKET` opens it once, `inspect` does not.",
    );
}
