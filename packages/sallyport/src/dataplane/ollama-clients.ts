/**
 * An unmodified `ollama` with `OLLAMA_AUTH=1` signs each request with its Ed25519 key. If the public key is registered,
 * the signature is a credential of the key it was registered for: same scope, owner, limits and end.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { OllamaRepeats } from "../factors/ollama-repeats.ts";
import { parseOllamaCredential, verifyOllamaSignature } from "../factors/ollama-signature.ts";
import type { Authenticated, KeyDirectory } from "../keys/directory.ts";
import type { Exchange } from "./exchange.ts";

/** The key a public key stands for; undefined where it is not registered. In memory: an unknown one costs no I/O. */
export type FindOllamaClient = (
  fingerprint: string,
) => { readonly environment: string; readonly id: string } | undefined;

export interface OllamaClientsPorts {
  readonly keys: KeyDirectory;
  readonly find: FindOllamaClient;
  /** When this process began, epoch ms. */
  readonly startedAt: number;
}

export class OllamaClients {
  readonly #ports: OllamaClientsPorts;
  readonly #repeats: OllamaRepeats;

  constructor(ports: OllamaClientsPorts) {
    this.#ports = ports;
    this.#repeats = new OllamaRepeats({ startedAt: ports.startedAt });
  }

  identify(exchange: Exchange, credential: string, now: number): Authenticated | Refusal {
    const said = parseOllamaCredential(credential);
    if (!said) return refuse("credential_malformed");
    const place = this.#ports.find(said.fingerprint);
    const key = place && this.#ports.keys.find(place.environment, place.id);
    // An unknown key is detected before the signature is verified: verifying costs more than anything else here.
    if (!key?.signers.some(({ use, id }) => use === "ollama" && id === said.fingerprint)) return refuse("key_unknown");
    const verified = verifyOllamaSignature(said, {
      method: exchange.request.method ?? "",
      target: exchange.request.url ?? "",
      now,
    });
    if (verified === "signature_wrong") return refuse("key_unknown");
    if (typeof verified === "string") return refuse("signature_invalid", verified);
    const failure = this.#repeats.take(verified, `${key.environment}/${key.id}`, exchange.address, now);
    if (failure === "full" || failure === "key_full") return refuse("overloaded").with({ retryAfterSeconds: 1 });
    // A client in a hurry, not a stolen copy: a client shows 401 as "you need to be signed in".
    if (failure === "too_often") return refuse("rate_limited").with({ retryAfterSeconds: 1 });
    if (failure) return refuse("signature_replayed", failure);
    exchange.ollamaSigner = said.fingerprint;
    return this.#ports.keys.admit(key, now);
  }
}
