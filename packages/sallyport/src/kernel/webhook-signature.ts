/** Signatures of Standard Webhooks: `v1,` and base64 of HMAC-SHA-256 over `id.timestamp.body`. */
import { createHmac } from "node:crypto";
import type { Secret } from "./secret.ts";

/** `now` in epoch ms. */
export function webhookHeaders(secret: Secret, id: string, now: number, body: string): Record<string, string> {
  const timestamp = String(Math.floor(now / 1_000));
  const signature = createHmac("sha256", secretBytes(secret)).update(`${id}.${timestamp}.${body}`);
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature.digest("base64")}`,
  };
}

/** `whsec_` and base64, as receivers' tools write it, or the text's own bytes. */
function secretBytes(secret: Secret): Buffer {
  const text = secret.reveal();
  return text.startsWith("whsec_") ? Buffer.from(text.slice("whsec_".length), "base64") : Buffer.from(text);
}
