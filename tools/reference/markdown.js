// The few forms the reference pages are written in.
export const NOTE = "<!-- Written by tools/gen-docs.js from the program's own tables; change those. -->\n\n";

export const code = (text) => `\`${text}\``;

export function table(heads, rows) {
  const line = (cells) => `| ${cells.map((cell) => escaped(String(cell)).replaceAll("|", "\\|")).join(" | ")} |\n`;
  return line(heads) + line(heads.map(() => "---")) + rows.map(line).join("");
}

/** Outside code spans, `<id>` would be an HTML element, which a page does not show. */
function escaped(text) {
  return text
    .split("`")
    .map((part, at) => (at % 2 === 0 ? part.replaceAll("<", "\\<") : part))
    .join("`");
}

/** What a JSON Schema accepts, in a few words. */
export function formText(schema) {
  if (schema.enum) return schema.enum.map((value) => code(value)).join(" or ");
  if (schema.anyOf) return schema.anyOf.map(formText).join(", or ");
  if (schema.type === "array") return `list: ${schema.items.description ?? formText(schema.items)}`;
  if (schema.type === "integer") return rangeText(schema);
  if (schema.pattern === "^(0|[1-9][0-9]{0,8})(ms|s|m|h|d)$") return "duration such as `90d`, `12h`, `15m`, `30s`";
  if (schema.type === "boolean") return "`true` or `false`";
  return "text";
}

/** A default as it would be written. */
export function defaultText(schema) {
  return schema.default === undefined ? "-" : code(JSON.stringify(schema.default).replace(/^"(.*)"$/, "$1"));
}

function rangeText({ minimum, maximum }) {
  const most = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? "" : ` to ${maximum}`;
  return `whole number${minimum === undefined ? "" : ` from ${minimum}`}${most}`;
}
