/** The senders of leak reports that the settings name, and which of their messages were taken already. */
import { createHash } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";
import type { Secret } from "../kernel/secret.ts";
import type { GithubKeys } from "./github-signature.ts";
import { isSignedWebhook, WEBHOOK_TOLERANCE_MS } from "./signed-webhook.ts";
import type { WebhookHeaders } from "./signed-webhook.ts";

export interface WebhookSender {
  readonly name: string;
  readonly secret: Secret;
}

export interface KnownSendersPorts {
  readonly clock: Pick<Clock, "now">;
  /** Null = GitHub's messages are not accepted. */
  readonly github: GithubKeys | null;
  readonly webhooks: readonly WebhookSender[];
}

/** A message whose sender has proved who it is. */
export interface SignedMessage {
  /** `github`, or the sender's name in the settings. */
  readonly sender: string;
  /** What makes it this message: 64 hexadecimal digits. */
  readonly digest: string;
  /** The record that its first copy left; undefined = it is the first, or the first is still being judged. */
  readonly receipt: number | undefined;
  readonly isReplayed: boolean;
}

/** GitHub's messages have no time: each is known for a day. */
const GITHUB_KEPT_MS = 24 * 3_600_000;
const KEPT_MAX = 16_384;

export class KnownSenders {
  readonly #ports: KnownSendersPorts;
  readonly #seen = new Map<string, { readonly until: number; receipt: number | undefined }>();

  constructor(ports: KnownSendersPorts) {
    this.#ports = ports;
  }

  get acceptsGithub(): boolean {
    return this.#ports.github !== null;
  }

  get acceptsWebhooks(): boolean {
    return this.#ports.webhooks.length > 0;
  }

  /** Undefined = GitHub did not sign these bytes. */
  async fromGithub(
    body: Uint8Array,
    keyId: string | null,
    signature: string | null,
  ): Promise<SignedMessage | undefined> {
    if (!(await this.#ports.github?.hasSigned(body, keyId, signature))) return undefined;
    return this.#noted("github", createHash("sha256").update(body).digest("hex"), GITHUB_KEPT_MS);
  }

  /** Undefined = no configured sender signed it in the last minutes. */
  fromWebhook(headers: WebhookHeaders, body: string): SignedMessage | undefined {
    const now = this.#ports.clock.now();
    const senders = this.#ports.webhooks.filter(({ secret }) => isSignedWebhook(secret, headers, body, now));
    const [sender] = senders;
    if (!sender) return undefined;
    const digest = createHash("sha256").update(`${sender.name}\n${headers.id}`).digest("hex");
    return this.#noted(sender.name, digest, 2 * WEBHOOK_TOLERANCE_MS);
  }

  /** `receipt`: the number of its record. */
  taken({ digest }: SignedMessage, receipt: number | undefined): void {
    const seen = this.#seen.get(digest);
    if (seen) seen.receipt = receipt;
  }

  /** It could not be taken: its sender may send it again. */
  failed({ digest }: SignedMessage): void {
    this.#seen.delete(digest);
  }

  #noted(sender: string, digest: string, keptMs: number): SignedMessage {
    const now = this.#ports.clock.now();
    const seen = this.#seen.get(digest);
    if (seen && seen.until > now) return { sender, digest, receipt: seen.receipt, isReplayed: true };
    if (this.#seen.size >= KEPT_MAX) this.#makeRoom(now);
    this.#seen.set(digest, { until: now + keptMs, receipt: undefined });
    return { sender, digest, receipt: undefined, isReplayed: false };
  }

  /** Only senders who proved themselves put something in, and a repeated message of theirs does nothing new to a key. */
  #makeRoom(now: number): void {
    for (const [digest, { until }] of this.#seen) if (until <= now) this.#seen.delete(digest);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size >= KEPT_MAX && oldest !== undefined) this.#seen.delete(oldest);
  }
}
