/**
 * From what a request carries to the key it stands for. There are four kinds of credential, and a request carries
 * exactly one: a key or a token in a header, a URL token, or the signature of an Ollama command line.
 */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Snapshot } from "../access/snapshot.ts";
import { isLoopbackAddress } from "../kernel/network-list.ts";
import type { Authenticated, KeyDirectory } from "../keys/directory.ts";
import { findByPathSecret } from "../keys/path-secret.ts";
import type { PepperRing } from "../keys/pepper.ts";
import { looksLikeToken } from "../tokens/verify.ts";
import type { BearerTokens } from "./bearer-tokens.ts";
import { extractCredential } from "../listener/credential.ts";
import type { Exchange } from "./exchange.ts";
import type { OllamaClients } from "./ollama-clients.ts";
import type { Way } from "./wire/endpoint.ts";

export interface IdentifyPorts {
  readonly keys: KeyDirectory;
  readonly peppers: PepperRing;
  readonly ollamaClients: OllamaClients;
  readonly tokens: BearerTokens;
  readonly snapshot: () => Snapshot;
}

export type Identify = (exchange: Exchange, now: number) => Authenticated | Refusal | Promise<Authenticated | Refusal>;

export function makeIdentify({ keys, peppers, ollamaClients, tokens, snapshot }: IdentifyPorts): Identify {
  function byPathSecret(exchange: Exchange, now: number): Authenticated | Refusal {
    const text = exchange.pathSecret!.reveal();
    const key = findByPathSecret(text, (environment, id) => keys.find(environment, id), peppers);
    if (isRefusal(key)) return key;
    // Who reads along on the way would have it. What policy says of such secrets is a row of standing.
    const isShielded = isEncrypted(exchange) || isLoopbackAddress(exchange.address);
    if (!isShielded) return refuse("path_secret_denied");
    return keys.admit(key, now);
  }

  return function identify(exchange, now) {
    const credential = extractCredential(exchange.request.rawHeaders);
    const { way } = exchange.endpoint!;
    const isRotation = way === "rotation";
    const ownRefusal = OWN_REFUSALS[way];
    if (exchange.pathSecret !== null) {
      // What it may do there ends with a new secret of the key: a lesser credential must not become a greater one.
      if (ownRefusal) return ownRefusal;
      const isAlone = typeof credential !== "string" && credential.code === "credential_missing";
      return isAlone ? byPathSecret(exchange, now) : refuse("credential_ambiguous");
    }
    if (typeof credential !== "string") return credential;
    if (ownRefusal && (credential.includes(":") || looksLikeToken(credential))) return ownRefusal;
    if (credential.includes(":")) return ollamaClients.identify(exchange, credential, now);
    if (looksLikeToken(credential)) return tokens.identify(exchange, credential, now);
    if (!isRotation) return keys.authenticate(credential, ["api"], now);
    const graceOf = (name: string): number => snapshot().environments.get(name)?.keyLife.rotateWithinMs ?? 0;
    return keys.authenticateLate(credential, ["api"], now, graceOf);
  };
}

/** What only a key's own text opens: nothing that was made from it. */
const OWN_REFUSALS: Partial<Record<Way, Refusal>> = {
  rotation: refuse("permission_denied", "a key rotates itself with the key alone"),
  person: refuse("permission_denied", "a person's keys are reached with the session alone"),
};

function isEncrypted({ request }: Exchange): boolean {
  return "encrypted" in request.socket && request.socket.encrypted === true;
}
