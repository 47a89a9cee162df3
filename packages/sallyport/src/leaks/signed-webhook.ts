/**
 * Leak reports of other scanners, as Standard Webhooks signs them: `webhook-id`, `webhook-timestamp` and
 * `webhook-signature` (`v1,` and base64 of HMAC-SHA-256 over `id.timestamp.body`; several are separated by spaces).
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Secret } from "../kernel/secret.ts";
import { webhookHeaders } from "../kernel/webhook-signature.ts";

export interface WebhookHeaders {
  readonly id: string | null;
  readonly timestamp: string | null;
  readonly signature: string | null;
}

export const WEBHOOK_TOLERANCE_MS = 5 * 60_000;
const ID = /^[\x21-\x7e]{1,128}$/;
const TIMESTAMP = /^[0-9]{1,12}$/;
const SIGNATURES_MAX = 8;

/** Whether one of the signatures is the secret's, over these very bytes, and the time within five minutes. `now`: epoch ms. */
export function isSignedWebhook(
  secret: Secret,
  { id, timestamp, signature }: WebhookHeaders,
  body: string,
  now: number,
): boolean {
  if (id === null || timestamp === null || signature === null) return false;
  if (!ID.test(id) || !TIMESTAMP.test(timestamp)) return false;
  if (Math.abs(now - Number(timestamp) * 1_000) > WEBHOOK_TOLERANCE_MS) return false;
  const wanted = digestOf(webhookHeaders(secret, id, Number(timestamp) * 1_000, body)["webhook-signature"] ?? "");
  let isSigned = false;
  // Each is compared, so that the time says nothing of which one it was.
  for (const one of signature.split(" ", SIGNATURES_MAX)) if (timingSafeEqual(wanted, digestOf(one))) isSigned = true;
  return isSigned;
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
