// Man pages from the commands themselves: one for the program, one for each of its commands. They are written when a
// package is made and are not committed, because they say nothing that the commands do not.
import { makeProgram } from "../../packages/sallyport/dist/cli/program.js";
import { exits } from "../../packages/sallyport/dist/cli/terminal/failure.js";
import { VERSION } from "../../packages/sallyport/dist/version.js";

/** Commands are described here and never run. */
const idle = { io: { out() {}, err() {}, env: {} }, connect: () => Promise.reject(new Error("not run")), found() {} };

const exitText = {
  done: "Done.",
  refused: "Denied, or a command such as doctor or explain has findings.",
  usage: "A mistake in the command or the settings.",
  fault: "A fault of the gateway, the network or the machine.",
};

/** Text that troff reads as text: its escape character, hyphens, and lines that would be requests. */
export function roffText(text) {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(
      /[^\n\x20-\x7e]/gu,
      (character) => `\\[u${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`,
    )
    .split("\n")
    .map((line) => (/^[.']/.test(line) ? `\\&${line}` : line))
    .join("\n");
}

/** Name of the page -> its text. */
export async function manPages() {
  const program = await makeProgram(idle);
  const shown = program.commands.filter((command) => !command._hidden);
  return new Map([
    ["sallyport.1", programPage(program, shown)],
    ...shown.map((command) => [`sallyport-${command.name()}.1`, commandPage(command)]),
  ]);
}

function programPage(program, commands) {
  return page("sallyport", program.description(), [
    section("SYNOPSIS", ".B sallyport\n.I command\n[\\fIoption\\fR ...]\n"),
    section(
      "COMMANDS",
      commands
        .map((one) => term(`\\fBsallyport\\-${roffText(one.name())}\\fR(1)`, one.description() || groupText(one)))
        .join(""),
    ),
    section(
      "EXIT STATUS",
      Object.entries(exits)
        .map(([name, exit]) => term(`\\fB${exit}\\fR`, exitText[name]))
        .join(""),
    ),
    section(
      "FILES",
      term("\\fI~/.sallyport\\fR", "Data directory, unless SALLYPORT_DATA or the option --data names another one.") +
        term("\\fIsallyport.yaml\\fR", "Settings, in the data directory or where SALLYPORT_SETTINGS points."),
    ),
  ]);
}

function commandPage(command) {
  const leaves = leavesOf(command, "sallyport");
  return page(`sallyport-${command.name()}`, command.description() || groupText(command), [
    section("SYNOPSIS", leaves.map(({ usage }) => `${usage}\n`).join(".br\n")),
    section("DESCRIPTION", leaves.map(describe).join("")),
    section("SEE ALSO", ".BR sallyport (1)\n"),
  ]);
}

/** The commands that do something, with the words that name them. */
function leavesOf(command, before) {
  const path = `${before} ${command.name()}`;
  const words = command.registeredArguments.map((one) => (one.required ? ` <${one.name()}>` : ` [${one.name()}]`));
  const isGroup = command.commands.length > 0 && words.length === 0 && !command._actionHandler;
  const usage = `\\fB${roffText(path)}\\fR${roffText(words.join(""))} [\\fIoption\\fR ...]`;
  return [...(isGroup ? [] : [{ command, usage }]), ...command.commands.flatMap((inner) => leavesOf(inner, path))];
}

function describe({ command, usage }) {
  const options = command.options.filter((option) => !option.hidden);
  return (
    `.SS ${usage.replace(/ \[\\fIoption\\fR \.\.\.\]$/, "")}\n${sentence(command.description())}\n` +
    options.map((option) => term(`\\fB${roffText(option.flags)}\\fR`, optionText(option))).join("")
  );
}

function optionText({ description, mandatory, defaultValue }) {
  const notes = [
    ...(mandatory ? ["required"] : []),
    ...(defaultValue === undefined ? [] : [`default: ${defaultValue}`]),
  ];
  return notes.length === 0 ? description : `${description} (${notes.join(", ")})`;
}

function page(name, description, sections) {
  const head = `.TH ${roffText(name).toUpperCase()} 1 "" "Sallyport ${roffText(VERSION)}" "User Commands"\n`;
  return `${head}.SH NAME\n${roffText(name)} \\- ${roffText(description)}\n${sections.join("")}`;
}

const section = (title, text) => `.SH ${title}\n${text}`;
const term = (name, text) => `.TP\n${name}\n${sentence(text)}\n`;

function groupText(command) {
  return command.commands.map((one) => one.name()).join(", ");
}

function sentence(text) {
  const first = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return roffText(/[.!?]$/.test(first) ? first : `${first}.`);
}
