/**
 * The one credential extractor (R4), for every header style: `Authorization: Bearer` (or `DPoP`), `Authorization: Basic` (the
 * password; any user), `x-api-key`, `api-key`, and the Ollama client's own signature, which has no scheme. It reads the raw headers, because node joins or drops repeated ones.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";

/** What an `ollama` with OLLAMA_AUTH=1 sends without a scheme: public key and signature, both base64. */
const OLLAMA = /^[A-Za-z0-9+/]{68}:[A-Za-z0-9+/]{86}==$/;
const BEARER = /^ *bearer /i;
const SCHEME = /^(bearer|basic|dpop) +([A-Za-z0-9\-._~+/=]+)$/i;

/**
 * The credential's text, exactly as sent; rejects a missing one, two, a repeated header, and unknown schemes. One
 * credential may be in `Authorization: Bearer` and in `x-api-key` at once, as Claude Code sends the output of its key
 * helper (ADR 37).
 */
export function extractCredential(rawHeaders: readonly string[]): string | Refusal {
  let found: string | undefined;
  let foundIn = "";
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    // Only names of these lengths can be one of the three: a cheap look before lower-casing.
    if (name.length !== 13 && name.length !== 9 && name.length !== 7) continue;
    const lower = name.toLowerCase();
    if (lower !== "authorization" && lower !== "x-api-key" && lower !== "api-key") continue;
    const value = rawHeaders[i + 1]!;
    const place = lower === "authorization" && BEARER.test(value) ? "bearer" : lower;
    if (found !== undefined && foundIn + place !== "bearerx-api-key" && foundIn + place !== "x-api-keybearer")
      return refuse("credential_ambiguous");
    const credential = lower === "authorization" ? fromAuthorization(value) : value.trim();
    if (credential === undefined || credential === "")
      return refuse("credential_malformed", reasonOf(lower, value)).with({ signal: "malformed" });
    if (found !== undefined && found !== credential) return refuse("credential_ambiguous");
    found = credential;
    foundIn += place;
  }
  return found ?? refuse("credential_missing");
}

/** The mistake in the header's form, if it is known. */
function reasonOf(name: string, value: string): string | undefined {
  if (value.trim() === "") return `${name} is empty`;
  return name === "authorization" && OWN_CREDENTIAL.test(value.trim())
    ? "the scheme is missing: write `Authorization: Bearer KEY`"
    : undefined;
}

/** A key or token of ours that stands where a scheme is expected. */
const OWN_CREDENTIAL = /^(?:sp[a-z]?_|eyJ)[A-Za-z0-9_.-]*$/;

function fromAuthorization(value: string): string | undefined {
  if (OLLAMA.test(value)) return value;
  const parts = SCHEME.exec(value.trim());
  if (!parts) return undefined;
  if (parts[1]!.toLowerCase() !== "basic") return parts[2]!;
  const pair = Buffer.from(parts[2]!, "base64").toString("latin1");
  const colon = pair.indexOf(":");
  return colon < 0 ? undefined : pair.slice(colon + 1);
}
