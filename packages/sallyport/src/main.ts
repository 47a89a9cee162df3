/** argv -> command. The exit code is set, not forced, so that what is written is written out. */
import { makeConnect } from "./cli/terminal/connect.ts";
import { processIo } from "./cli/terminal/io.ts";
import { runCli } from "./cli/program.ts";

const exit = await runCli(process.argv.slice(2), processIo(), makeConnect(process.env));
// A gateway that stopped by itself has said so already: it did not end well, though it ended in order.
process.exitCode ??= exit;
