/** A secret that the settings refer to. */
import { readFileSync } from "node:fs";
import { Problem } from "@sallyport/protocol";
import type { SecretSource } from "../config/key-source.ts";
import { Secret } from "../kernel/secret.ts";

const SECRET_MIN = 24;

/** Throws `store_unavailable` where it cannot be read or is too short to keep anybody out. `what` names it for a person. */
export function readSecret(source: SecretSource, what: string): Secret {
  let text = "";
  try {
    text = (source.kind === "env" ? (process.env[source.name] ?? "") : readFileSync(source.path, "utf8")).trim();
  } catch {
    // Told below: a missing file and an empty one are the same mistake.
  }
  if (text.length < SECRET_MIN)
    throw new Problem(
      "store_unavailable",
      `${what} (${source.kind}:${source.kind === "env" ? source.name : source.path}) is missing or shorter than ${SECRET_MIN} characters`,
    );
  return new Secret(text);
}
