/** Every command has an example, and every example is one that the program takes. */
import type { Command } from "commander";
import { expect, it } from "vitest";
import { makeProgram } from "../program.ts";
import type { Cli } from "./cli.ts";
import { examples } from "./examples.ts";

const program = await makeProgram({ io: { out() {}, err() {}, env: {} } } as unknown as Cli);

function leavesOf(command: Command, path: readonly string[]): [string, Command][] {
  const own: [string, Command][] = command.commands.length === 0 ? [[path.join(" "), command]] : [];
  return [...own, ...command.commands.flatMap((inner) => leavesOf(inner, [...path, inner.name()]))];
}

const leaves = new Map([
  ...leavesOf(program, []),
  // Commands that have others below them.
  ...["posture", "restore", "usage"].map(
    (name) => [name, program.commands.find((one) => one.name() === name)!] as const,
  ),
]);

it("every command has one, and no other has", () => {
  // `complete` is run by completion scripts.
  expect([...leaves.keys()].filter((name) => name !== "complete").toSorted()).toEqual(Object.keys(examples).toSorted());
});

it.each(Object.entries(examples))("those of %s are taken", (name, lines) => {
  const command = leaves.get(name)!;
  for (const line of lines) {
    expect(line.startsWith(`sallyport ${name}`), line).toBe(true);
    const words = line.slice(`sallyport ${name}`.length).match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
    const options = new Map(
      command.options.flatMap((one) => [one.long, one.short].map((flag) => [flag, one] as const)),
    );
    const given: string[] = [];
    let positional = 0;
    for (let i = 0; i < words.length; i++) {
      const option = options.get(words[i]!);
      if (words[i]!.startsWith("-")) {
        expect(option, `${line}: ${words[i]}`).toBeDefined();
        given.push(option!.long!);
        if (option!.required || (option!.optional && words[i + 1] && !words[i + 1]!.startsWith("-"))) i++;
      } else positional++;
    }
    expect(positional, line).toBeLessThanOrEqual(command.registeredArguments.length);
    expect(positional, line).toBeGreaterThanOrEqual(command.registeredArguments.filter((one) => one.required).length);
    const missing = command.options.filter((one) => one.mandatory && one.defaultValue === undefined);
    expect(
      missing.map((one) => one.long!).filter((flag) => !given.includes(flag)),
      line,
    ).toEqual([]);
  }
});

it("help shows them", () => {
  let help = "";
  const command = leaves.get("keys rotate")!;
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  expect(help).toContain("Examples:\n  sallyport keys rotate my-app --grace 24h");
});
