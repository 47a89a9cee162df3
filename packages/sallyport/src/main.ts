/** argv -> command. The exit code is set, not forced, so that what is written is written out. */
import { makeConnect } from "./cli/connect.ts";
import { processIo } from "./cli/io.ts";
import { runCli } from "./cli/program.ts";

process.exitCode = await runCli(process.argv.slice(2), processIo(), makeConnect(process.env));
