// docs/reference/settings.md, from the table of leaves and the schema that judges them.
import { leaves } from "../../packages/sallyport/dist/config/leaves.js";
import { settingSchema, settingsJsonSchema } from "../../packages/sallyport/dist/config/settings-json-schema.js";
import { code, defaultText, formText, NOTE, table } from "./markdown.js";

const schema = settingsJsonSchema();
const leafSchema = (path) => settingSchema(schema, path);

const flagText = (flag) =>
  flag === null ? "" : code(`--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);

export function settingsPage() {
  return (
    `# Settings\n\n${NOTE}The gateway reads settings once at its start: from \`sallyport.yaml\` (in the data directory, or where \`--settings\` or \`SALLYPORT_SETTINGS\` points), then from variables, then from flags of \`serve\`; the last one wins. ` +
    "It does not start with an unknown name or any other mistake. Lists are comma-separated in variables and flags. Relative paths are relative to the working directory. `sallyport init --example` prints a commented file with every setting, and editors check the file with [settings.schema.json](settings.schema.json).\n\n" +
    table(
      ["setting", "what it is", "form", "default", "variable, flag"],
      leaves.map((leaf) => [
        code(leaf.path),
        leaf.says,
        formText(leafSchema(leaf.path)),
        defaultText(leafSchema(leaf.path)),
        [code(leaf.variable), flagText(leaf.flag)].filter((text) => text !== "").join(" "),
      ]),
    ) +
    "\nOther variables of the command line: `SALLYPORT_SETTINGS` (path of the settings file), `SALLYPORT_ADMIN_URL` and `SALLYPORT_ADMIN_KEY` (administration over the network).\n"
  );
}
