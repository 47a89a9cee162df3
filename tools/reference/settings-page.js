// docs/reference/settings.md, from the table of leaves and the schema that judges them.
import { z } from "zod";
import { leaves } from "../../packages/sallyport/dist/config/leaves.js";
import { settingsSchema } from "../../packages/sallyport/dist/config/settings-schema.js";
import { code, defaultText, formText, NOTE, table } from "./markdown.js";

const schema = z.toJSONSchema(settingsSchema, { io: "input", unrepresentable: "any" });

function leafSchema(path) {
  let found = schema;
  for (const step of path.split(".")) found = found.properties[step];
  return found;
}

const flagText = (flag) =>
  flag === null ? "-" : code(`--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);

export function settingsPage() {
  return (
    `# Settings\n\n${NOTE}Read once at start from \`sallyport.yaml\` (in the data directory, or where \`--settings\` or \`SALLYPORT_SETTINGS\` says), then from variables, then from flags of \`serve\`; the later wins. ` +
    "A name that is not in this table is refused, and so is a start with any mistake. Lists are comma-separated in variables and flags. Relative paths are taken from the working directory.\n\n" +
    table(
      ["setting", "variable", "flag", "form", "unless set", "what it is"],
      leaves.map((leaf) => [
        code(leaf.path),
        code(leaf.variable),
        flagText(leaf.flag),
        formText(leafSchema(leaf.path)),
        defaultText(leafSchema(leaf.path)),
        leaf.says,
      ]),
    ) +
    "\nVariables of the command line, which are no settings: `SALLYPORT_SETTINGS` (where the file is), `SALLYPORT_ADMIN_URL` and `SALLYPORT_ADMIN_KEY` (administer over the network).\n"
  );
}
