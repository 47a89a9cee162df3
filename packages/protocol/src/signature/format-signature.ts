/** The other side of `signature-fields.ts`: writes the two fields of a signed request. */
import type { SignatureParameters } from "./signature-fields.ts";

/** The value of `@signature-params` and, after a label and `=`, of `signature-input`. Null parameters are skipped. */
export function formatSignatureParameters(
  components: readonly string[],
  parameters: Readonly<SignatureParameters>,
): string {
  const covered = components.map((name) => `"${name}"`).join(" ");
  const said = Object.entries(parameters)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `;${name}=${typeof value === "number" ? value : quoted(String(value))}`);
  return `(${covered})${said.join("")}`;
}

/** A string of a structured field; what would need an escape is not accepted by the reader, so it is not written. */
function quoted(text: string): string {
  if (!/^[\x20\x21\x23-\x5b\x5d-\x7e]{0,256}$/.test(text))
    throw new RangeError("keyid and nonce are printable ASCII without quotes and backslashes");
  return `"${text}"`;
}
