/**
 * The caller of the token endpoint: a key, as an OAuth client. Its id is the key's id. It authenticates with the key as
 * its secret (`client_secret_basic`) or by a signature of one of its public keys (`private_key_jwt`); a secret in the
 * body is rejected, because bodies are logged.
 */
import type { KeyObject } from "node:crypto";
import { isRefusal, parseKeyText, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { signerOf } from "../../factors/signer-of-key.ts";
import type { Authenticated, KeyDirectory } from "../../keys/directory.ts";
import type { KeyRecord } from "../../keys/key.ts";
import type { PepperRing } from "../../keys/pepper.ts";
import type { Secret } from "../../kernel/secret.ts";
import { extractCredential } from "../../listener/credential.ts";
import { ASSERTION_TYPE, assertedClient } from "../../tokens/client-assertion.ts";
import type { WorkloadTokens } from "../../tokens/workload-tokens.ts";
import { isWorkloadToken } from "./token-request.ts";
import type { ClientAssertions } from "../../tokens/client-assertion.ts";
import type { Exchange } from "../exchange.ts";
import { issuerOf } from "../public-address.ts";
import type { PublicAddress } from "../public-address.ts";
import { decoded } from "./form.ts";
import type { Form } from "./form.ts";

export interface ClientPorts {
  readonly keys: KeyDirectory;
  readonly peppers: PepperRing;
  readonly assertions: ClientAssertions;
  readonly workloads: WorkloadTokens;
  readonly address: PublicAddress;
  /** Environments of the present policy. */
  readonly environments: () => Iterable<string>;
}

export class OAuthClients {
  readonly #ports: ClientPorts;

  constructor(ports: ClientPorts) {
    this.#ports = ports;
  }

  async authenticate(exchange: Exchange, form: Form, now: number): Promise<Authenticated | Refusal> {
    if (form.has("client_secret")) return refuse("client_secret_misplaced");
    const assertion = form.get("client_assertion");
    const credential = extractCredential(exchange.request.rawHeaders);
    if (isWorkloadToken(form)) {
      const isAlone = typeof credential !== "string" && credential.code === "credential_missing" && !assertion;
      return isAlone ? this.#byWorkload(exchange, form, now) : refuse("credential_ambiguous");
    }
    if (assertion !== undefined) {
      const isAlone = typeof credential !== "string" && credential.code === "credential_missing";
      if (!isAlone) return refuse("credential_ambiguous");
      return this.#byAssertion(exchange, form, assertion, now);
    }
    if (typeof credential !== "string") return credential;
    // In Basic, id and secret are form-encoded first (RFC 6749 section 2.3.1), so strict clients write `sp%5Fdev%5F…`.
    const text = decoded(credential) ?? "";
    const said = parseKeyText(text);
    const client = form.get("client_id");
    if (said && client !== undefined && client !== said.id) return refuse("client_unknown");
    const proven = this.#ports.keys.authenticate(text, ["api"], now);
    return isRefusal(proven) ? proven : inItsEnvironment(exchange, proven);
  }

  /** A person's session stands for itself; a key that was issued is no session. */
  authenticateSession(exchange: Exchange, session: Secret, now: number): Authenticated | Refusal {
    const proven = this.#ports.keys.authenticate(session.reveal(), ["api"], now);
    if (isRefusal(proven)) return proven;
    if (proven.key.session === null) return refuse("grant_invalid");
    return inItsEnvironment(exchange, proven);
  }

  async #byAssertion(exchange: Exchange, form: Form, assertion: string, now: number): Promise<Authenticated | Refusal> {
    const client = await assertedClient(assertion);
    if (form.get("client_assertion_type") !== ASSERTION_TYPE || client === undefined) return refuse("client_unknown");
    if (form.has("client_id") && form.get("client_id") !== client) return refuse("client_unknown");
    const key = this.#find(client, exchange.environmentPath);
    if (!key) return refuse("client_unknown");
    const issuer = issuerOf(this.#ports.address, key.environment);
    const isProven = await this.#ports.assertions.verify({
      assertion,
      audiences: [issuer, `${issuer}/oauth/token`],
      keys: this.#publicKeys(key),
      clientId: client,
      now,
    });
    return isProven ? this.#ports.keys.admit(key, now) : refuse("client_unknown");
  }

  /** A workload's token stands for the key that trusts it, and is the only proof there is. */
  async #byWorkload(exchange: Exchange, form: Form, now: number): Promise<Authenticated | Refusal> {
    const key = this.#find(form.get("client_id") ?? "", exchange.environmentPath);
    // A log-in is its person's alone.
    if (!key || key.session || key.workloads.length === 0) return refuse("client_unknown");
    const owner = `${key.environment}/${key.id}`;
    const said = await this.#ports.workloads.verify(form.get("subject_token") ?? "", key.workloads, owner, now);
    if (said === "issuer_unreachable") return refuse("issuer_unreachable").with({ retryAfterSeconds: 30 });
    if (typeof said === "string") return refuse("grant_invalid", said);
    exchange.workload = said;
    exchange.isIdentified = said.isIdentity;
    return this.#ports.keys.admit(key, now);
  }

  #publicKeys(key: KeyRecord): KeyObject[] {
    return key.signers.flatMap(({ id, use, algorithm }) => {
      const signer =
        use === "request" && algorithm !== "hmac-sha256" ? signerOf(key, id, this.#ports.peppers) : undefined;
      return signer && signer.algorithm !== "hmac-sha256" ? [signer.key] : [];
    });
  }

  #find(id: string, environment: string | null): KeyRecord | undefined {
    if (environment !== null) return this.#ports.keys.find(environment, id);
    for (const name of this.#ports.environments()) {
      const key = this.#ports.keys.find(name, id);
      if (key) return key;
    }
    return undefined;
  }
}

/** A key of another environment is not known under this one's path. */
function inItsEnvironment({ environmentPath }: Exchange, proven: Authenticated): Authenticated | Refusal {
  return environmentPath === null || environmentPath === proven.key.environment ? proven : refuse("client_unknown");
}
