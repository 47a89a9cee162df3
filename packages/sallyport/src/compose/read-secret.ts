/**
 * Reads a secret that is not one of our keys, from a variable or a file. A missing or short secret is an error at
 * start.
 */
import { readFileSync } from "node:fs";
import { Problem } from "@sallyport/protocol";
import type { SecretSource } from "../config/key-source.ts";
import { Secret } from "../kernel/secret.ts";

/** A shorter one protects nothing. */
const LENGTH_MIN = 24;

/** Throws `store_unavailable`. `what` names it for people: `the secret of notices`. */
export function readSecret(source: SecretSource, what: string, lengthMin = LENGTH_MIN): Secret {
  let text = "";
  try {
    text = (source.kind === "env" ? (process.env[source.name] ?? "") : readFileSync(source.path, "utf8")).trim();
  } catch {
    // Told below: a missing file and an empty one are the same mistake.
  }
  const place = `${source.kind}:${source.kind === "env" ? source.name : source.path}`;
  if (text.length < lengthMin)
    throw new Problem("store_unavailable", `${what} (${place}) is missing or shorter than ${lengthMin} characters`);
  return new Secret(text);
}
