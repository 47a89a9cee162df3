/** Whether the program accepts a command, without running it. */
import type { Command } from "commander";
import { capturedIo } from "../captured-io.ts";
import { makeProgram } from "../program-under-test.ts";
import type { Cli } from "../program-under-test.ts";

/** The program's own parser, with actions that do nothing. Undefined: it accepts the words. */
export async function mistakeIn(words: readonly string[]): Promise<string | undefined> {
  const { io, err } = capturedIo();
  const program = await makeProgram({ io } as unknown as Cli, words);
  disarm(program);
  try {
    await program.parseAsync([...words], { from: "user" });
    return undefined;
  } catch (cause) {
    return [`sallyport ${words.join(" ")}`, ...err, String(cause)].join("\n");
  }
}

function disarm(command: Command): void {
  const { _actionHandler: action } = command as unknown as { readonly _actionHandler: unknown };
  const isOnlyFolder = command.commands.length > 0 && command.registeredArguments.length === 0 && !action;
  if (!isOnlyFolder) command.action(() => {});
  for (const inner of command.commands) disarm(inner);
}
