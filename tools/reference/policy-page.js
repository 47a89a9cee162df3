// docs/reference/policy.md, from the schema of the policy file.
import { policyJsonSchema } from "../../packages/contract/dist/index.js";
import { code, defaultText, formText, NOTE, table } from "./markdown.js";

/** Every place of the file that holds a value: `environments.<name>.upstreams[].url`. */
function placesOf(schema, path, isRequired) {
  const row = [code(path), isRequired ? "yes" : "no", formText(schema), defaultText(schema), schema.description ?? "-"];
  if (schema.type === "array" && schema.items.properties)
    return [[row[0], row[1], "list", row[3], row[4]], ...membersOf(schema.items, `${path}[]`)];
  if (schema.type === "object" && schema.propertyNames) {
    const inner = schema.additionalProperties;
    return [[row[0], row[1], "map by name", row[3], row[4]], ...membersOf(inner, `${path}.<name>`)];
  }
  return schema.properties ? membersOf(schema, path) : [row];
}

function membersOf(schema, path) {
  return Object.entries(schema.properties).flatMap(([name, member]) =>
    placesOf(member, path === "" ? name : `${path}.${name}`, (schema.required ?? []).includes(name)),
  );
}

export function policyPage() {
  return (
    `# Policy file\n\n${NOTE}Applied whole by \`sallyport apply -f FILE\` (which shows the plan first) or by \`serve --policy FILE\`. What is not in this table is refused. ` +
    "Editors check the file with [policy.schema.json](policy.schema.json). Names of environments are `a`–`z` and digits, at most 16, beginning with a letter; `system` is taken. Names of roles may have `-` besides and be longer.\n\n" +
    table(["place", "required", "form", "when left out", "what it is"], membersOf(policyJsonSchema(), "")) +
    "\nPermissions and built-in roles: [permissions.md](permissions.md).\n"
  );
}
