/** Reads `signature-input` and `signature` (RFC 9421 section 4), of exactly one signature. */
import { FieldCursor } from "./field-cursor.ts";
import { isSupportedComponent } from "./signature-base.ts";
import { signatureFailure } from "./signature-failure.ts";
import type { SignatureFailure } from "./signature-failure.ts";

/** Longest field read, in characters, and most components one signature covers. */
export const SIGNATURE_FIELD_MAX = 2048;
export const SIGNATURE_COMPONENTS_MAX = 32;

/** The parameters of a signature (RFC 9421 section 2.3); null where absent. Times are epoch seconds. */
export interface SignatureParameters {
  created: number | null;
  expires: number | null;
  nonce: string | null;
  keyid: string | null;
  alg: string | null;
  tag: string | null;
}
export type SignatureParameter = keyof SignatureParameters;

export interface SignatureInput {
  readonly label: string;
  /** What is covered, in order. */
  readonly components: readonly string[];
  readonly parameters: Readonly<SignatureParameters>;
  /** The field from its parenthesis on, as sent: the value of `@signature-params`. */
  readonly text: string;
}

/** The value of a `signature-input` line. Says nothing about the signature being genuine or enough. */
export function parseSignatureInput(text: string): SignatureInput | SignatureFailure {
  if (text.length > SIGNATURE_FIELD_MAX) return signatureFailure("signature_malformed");
  const cursor = new FieldCursor(text);
  const label = cursor.key();
  if (label === undefined || !cursor.take("=(")) return signatureFailure("signature_malformed");
  const from = cursor.at - 1;
  const components = readComponents(cursor);
  if ("reason" in components) return components;
  const parameters = readParameters(cursor);
  if ("reason" in parameters) return parameters;
  return endOfMember(cursor) ?? { label, components, parameters, text: text.slice(from) };
}

/** The value of a `signature` line: its label, and the signature as base64 text. */
export function parseSignature(text: string): { label: string; signature: string } | SignatureFailure {
  if (text.length > SIGNATURE_FIELD_MAX) return signatureFailure("signature_malformed");
  const cursor = new FieldCursor(text);
  const label = cursor.key();
  if (label === undefined || !cursor.take("=")) return signatureFailure("signature_malformed");
  const signature = cursor.bytes();
  if (signature === undefined || signature === "") return signatureFailure("signature_malformed");
  return endOfMember(cursor) ?? { label, signature };
}

/** With two signatures it would be unclear which one counts, so there is one. */
function endOfMember(cursor: FieldCursor): SignatureFailure | undefined {
  if (cursor.isAtEnd()) return undefined;
  return signatureFailure(/^[ \t]*,/.test(cursor.text.slice(cursor.at)) ? "signature_labels" : "signature_malformed");
}

function readComponents(cursor: FieldCursor): string[] | SignatureFailure {
  const components: string[] = [];
  while (!cursor.take(")")) {
    if (components.length > 0 && !cursor.take(" ")) return signatureFailure("signature_malformed");
    const name = cursor.string();
    if (name === undefined) return signatureFailure("signature_malformed");
    // A parameter (`;req`, `;sf`, `;bs`, `;key`, `;tr`, `;name`) makes another component of it: never its plain one.
    if (!isSupportedComponent(name) || cursor.take(";"))
      return signatureFailure("signature_component_unsupported", name);
    if (components.includes(name)) return signatureFailure("signature_component_repeated", name);
    if (components.length === SIGNATURE_COMPONENTS_MAX) return signatureFailure("signature_malformed");
    components.push(name);
  }
  return components;
}

function readParameters(cursor: FieldCursor): SignatureParameters | SignatureFailure {
  const read: SignatureParameters = { created: null, expires: null, nonce: null, keyid: null, alg: null, tag: null };
  while (cursor.take(";")) {
    const name = cursor.key();
    if (name === undefined) return signatureFailure("signature_malformed");
    if (!isParameter(name, read)) return signatureFailure("signature_parameter_unknown", name);
    if (read[name] !== null || !cursor.take("=")) return signatureFailure("signature_malformed", name);
    const value = name === "created" || name === "expires" ? cursor.integer() : cursor.string();
    if (value === undefined) return signatureFailure("signature_malformed", name);
    (read as Record<SignatureParameter, number | string | null>)[name] = value;
  }
  return read;
}

function isParameter(name: string, read: SignatureParameters): name is SignatureParameter {
  return Object.hasOwn(read, name);
}
