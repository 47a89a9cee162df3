// docs/reference/cli.md, from the commands themselves.
import { makeProgram } from "../../packages/sallyport/dist/cli/program.js";
import { exits } from "../../packages/sallyport/dist/cli/terminal/failure.js";
import { examples } from "../../packages/sallyport/dist/cli/terminal/examples.js";
import { code, NOTE, table } from "./markdown.js";

/** Commands are only described here, never run: what they would be given is not looked at. */
const nobody = { io: { out() {}, err() {}, env: {} }, connect: () => Promise.reject(new Error("not run")), found() {} };

/** What only scripts of a shell run has no place in a reference. */
function isShown(command) {
  return !command._hidden;
}

function sectionsOf(command, path) {
  const name = [path, command.name()].filter(Boolean).join(" ");
  const words = command.registeredArguments.map((one) => ` ${one.required ? `<${one.name()}>` : `[${one.name()}]`}`);
  const isOnlyFolder = command.commands.length > 0 && words.length === 0 && !command._actionHandler;
  const own = isOnlyFolder ? [] : [sectionOf(command, name + words.join(""))];
  return [...own, ...command.commands.flatMap((inner) => sectionsOf(inner, name))];
}

function sectionOf(command, usage) {
  const options = command.options.filter((option) => !option.hidden);
  return (
    `## ${code(usage)}\n\n${command.description()}\n` +
    (options.length === 0
      ? ""
      : `\n${table(
          ["option", "required", "what it is"],
          options.map((option) => [
            code(option.flags),
            option.mandatory ? "yes" : "no",
            option.description + (option.defaultValue === undefined ? "" : ` (default: ${option.defaultValue})`),
          ]),
        )}`) +
    exampleOf(usage)
  );
}

function exampleOf(usage) {
  const lines = examples[usage.replace(/^sallyport /, "").replace(/ [<[].*$/, "")];
  return lines === undefined ? "" : `\n\`\`\`sh\n${lines.join("\n")}\n\`\`\`\n`;
}

export async function commandLinePage() {
  const program = await makeProgram(nobody);
  return (
    `# Command line\n\n${NOTE}Exit codes: ${Object.entries(exits)
      .map(([name, exit]) => `${exit} ${name}`)
      .join(
        ", ",
      )}. Every command has \`--help\`. Commands that speak to a gateway use \`SALLYPORT_ADMIN_URL\` and \`SALLYPORT_ADMIN_KEY\` where they are set and \`--data\` is not given; ` +
    "else the Unix socket of the server that runs on the data directory; else they open the directory themselves.\n\n" +
    program.commands
      .filter(isShown)
      .flatMap((command) => sectionsOf(command, "sallyport"))
      .join("\n")
  );
}
