/** Which signal does what to a running gateway, and what happens when its terminal closes. */
import { isatty } from "node:tty";
import type { Gateway } from "../../compose.ts";
import { endWithoutReaders } from "../../kernel/output.ts";
import type { Cli } from "../terminal/cli.ts";
import { tellFailure } from "../terminal/failure.ts";

export interface TerminalOptions {
  /** The program is for the person at the terminal: it ends when that closes, even where no signal says so. */
  readonly endsWithTerminal?: boolean;
  /** Signals that came while the gateway was being opened. */
  readonly early?: EarlySignals;
}

/**
 * SIGTERM and SIGINT while the gateway opens: without a handler they would end the process between two writes. The gateway is
 * opened and closed again in order; a second signal does not wait for that.
 */
export class EarlySignals {
  #hasCome = false;

  constructor() {
    process.on("SIGTERM", this.#note).on("SIGINT", this.#note);
  }

  /** Gives the signals back; says whether one came. */
  release(): boolean {
    process.off("SIGTERM", this.#note).off("SIGINT", this.#note);
    return this.#hasCome;
  }

  readonly #note = (): void => {
    if (this.#hasCome) process.exit(1);
    this.#hasCome = true;
  };
}

const STANDARD = [0, 1, 2];
const LOOK_AT_TERMINAL_MS = 1_000;

/**
 * Resolves when the gateway has closed. SIGTERM and SIGINT end it; a second one does not wait for running requests.
 * SIGHUP reloads a service, and ends a program that was started at a terminal: there it means that the terminal closed.
 */
export function untilSignalled(
  cli: Cli,
  gateway: Gateway,
  drainMs: number,
  { endsWithTerminal = false, early }: TerminalOptions = {},
): Promise<void> {
  const terminals = STANDARD.filter((fd) => isatty(fd));
  return new Promise((resolve, reject) => {
    let look: NodeJS.Timeout | undefined;
    let isEnding = false;
    const end = (): void => {
      // A closing terminal may send SIGHUP twice, from the shell and from the system: the second one must not abort requests.
      process.off("SIGTERM", end).off("SIGINT", end);
      if (isEnding) return;
      isEnding = true;
      clearInterval(look);
      gateway.close(drainMs).finally(endWithoutReaders).then(resolve, reject);
    };
    const hangUp = (): void => {
      if (terminals.length > 0) end();
      else if (!isEnding) gateway.reload().catch((failure: unknown) => tellFailure(cli.io, failure));
    };
    process.on("SIGTERM", end).on("SIGINT", end).on("SIGHUP", hangUp);
    if (early?.release()) end();
    if (endsWithTerminal && terminals.length > 0) {
      look = setInterval(() => {
        if (!terminals.some((fd) => isatty(fd))) end();
      }, LOOK_AT_TERMINAL_MS).unref();
    }
  });
}
