/** A key's access conditions: networks, required factors, public keys, and the URL token. */
import { z } from "zod";
import { factors } from "@sallyport/protocol";
import type { ContractRow } from "./row.ts";
import { keyId, network, nothing } from "./scalars.ts";
import { keyView, signerView, workloadView } from "./views.ts";

const byId = z.strictObject({ id: keyId });

/** Shared by `keys.create` and `keys.factors`. */
export const factorFields = {
  networks: z.array(network).min(1).max(256),
  binding: z.enum(["first_use"]),
  require: z.array(z.enum(factors)).max(factors.length),
};

export const keyFactorRows = {
  "keys.factors": {
    method: "POST",
    path: "/v1/keys/:id/factors",
    params: byId,
    query: nothing,
    body: z.strictObject({
      /** Null = from anywhere; omitted = unchanged. The same for each. */
      networks: factorFields.networks.nullable().optional(),
      binding: factorFields.binding.nullable().optional(),
      require: factorFields.require.optional(),
    }),
    answer: keyView,
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["key.factors_changed"],
    says: "sets a key's allowed networks and required factors; aborts requests that no longer meet them. Relaxing them requires a delegation scope over the key's permissions",
    example: { body: { networks: ["10.1.0.0/16", "127.0.0.0/8"] } },
  },
  "keys.addSigner": {
    method: "POST",
    path: "/v1/keys/:id/signers",
    params: byId,
    query: nothing,
    body: z.strictObject({
      /** `request`: RFC 9421, beside the key. `ollama`: the Ollama command line's own signature, instead of the key. */
      use: z.enum(["request", "ollama"]),
      /** OpenSSH, PEM or JWK; Ed25519 or ECDSA P-256. Omitted for `hmac`. */
      publicKey: z.string().min(1).max(4_096).optional(),
      /** The lesser choice: a secret that both sides hold, made here and shown once. */
      hmac: z.literal(true).optional(),
    }),
    answer: signerView.extend({
      keyId: z.string(),
      /** Of HMAC, base64url; shown once. */
      secret: z.string().optional(),
    }),
    status: 201,
    permission: "keys:issue",
    caller: "any",
    events: ["key.signer_added"],
    says: "registers a public key whose signatures count as the key's",
    example: { body: { use: "request", hmac: true } },
  },
  "keys.removeSigner": {
    method: "POST",
    path: "/v1/keys/:id/signers/remove",
    params: byId,
    query: nothing,
    body: z.strictObject({ signer: z.string().min(1).max(128) }),
    answer: keyView,
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["key.signer_removed"],
    says: "ends a public key of a key; it opens nothing from here on",
    example: { body: { signer: "SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg" } },
  },
  "keys.addWorkload": {
    method: "POST",
    path: "/v1/keys/:id/workloads",
    params: byId,
    query: nothing,
    body: z.strictObject({
      template: z.enum(["github", "gitlab", "kubernetes", "generic"]),
      /** Default: the template's. */
      issuer: z.string().max(256).optional(),
      audience: z.string().min(1).max(256),
      /** Claims and the values they must have; `/a/b` reaches into nested ones. */
      claims: z.record(z.string().min(1).max(128), z.string().max(512)),
      /** A JSON Web Key Set, for an issuer that cannot be asked. */
      jwks: z.string().max(16_384).optional(),
    }),
    answer: workloadView.extend({ keyId: z.string() }),
    status: 201,
    permission: "keys:issue",
    caller: "any",
    events: ["key.workload_added"],
    says: "lets a workload act as the key with tokens of its issuer, exchanged at /oauth/token, without any secret",
    example: {
      body: {
        template: "github",
        audience: "sallyport",
        claims: { repository_id: "123456", repository_owner_id: "7890", environment: "production" },
      },
    },
  },
  "keys.removeWorkload": {
    method: "POST",
    path: "/v1/keys/:id/workloads/remove",
    params: byId,
    query: nothing,
    body: z.strictObject({ workload: z.string().min(1).max(64) }),
    answer: keyView,
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["key.workload_removed"],
    says: "ends a workload's right to act as the key",
    example: { body: { workload: "4vJ9Qm2LxT8c" } },
  },
  "keys.makePathSecret": {
    method: "POST",
    path: "/v1/keys/:id/path-secret",
    params: byId,
    query: nothing,
    body: null,
    answer: z.object({ id: z.string(), environment: z.string(), pathSecret: z.string() }),
    status: 201,
    permission: "keys:issue",
    caller: "any",
    events: ["key.path_secret_made"],
    says: "makes the key's secret for paths (/k/spp_…/), for clients that can send no header; the one before ends",
  },
  "keys.removePathSecret": {
    method: "POST",
    path: "/v1/keys/:id/path-secret/remove",
    params: byId,
    query: nothing,
    body: null,
    answer: keyView,
    status: 200,
    permission: "keys:manage",
    caller: "any",
    events: ["key.path_secret_removed"],
    says: "ends the key's secret for paths",
  },
} as const satisfies Record<string, ContractRow>;
