/**
 * Leak reports of senders without an admin key, beside the contract: GitHub's secret scanning and signed webhooks. The
 * signature is all that is believed. The answer is the same for every report that was taken, whether the key exists or not.
 */
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import type { ProblemCode } from "@sallyport/protocol";
import { networkPrefix } from "../kernel/network-prefix.ts";
import { judgeText } from "../leaks/found-leak.ts";
import type { SignedMessage } from "../leaks/known-senders.ts";
import { LEAK_MESSAGE_BYTES_MAX, readLeakMessage } from "../leaks/leak-report.ts";
import type { AdminPorts } from "./ports.ts";
import { answerJson } from "./problem-answer.ts";
import { readBytes } from "./read-request.ts";
import { RequestRate } from "./request-rate.ts";
import { SharedTurns } from "./shared-turns.ts";

export const GITHUB_LEAKS_PATH = "/leaks/github";
export const WEBHOOK_LEAKS_PATH = "/leaks/webhook";

/** `address`: the client's, null where it is not known. */
type LeakRoute = (request: Request, address: string | null) => Promise<Response>;
type LeakRoutePorts = Pick<AdminPorts, "clock" | "changes" | "leaks" | "leakHolder" | "leakSenders" | "quarantine">;

/** Messages of one sender, each with at most a hundred reports. */
const PER_SENDER = 200;
const PER_SENDER_MS = 5_000;
const REJECTED_EVERY_MS = 1_000;

export function makeLeakRoutes(ports: LeakRoutePorts): { readonly github: LeakRoute; readonly webhook: LeakRoute } {
  const unproven = new SharedTurns();
  const rates = new Map<string, RequestRate>();
  const rejected = new RejectedReports(ports);

  function senders(): NonNullable<AdminPorts["leakSenders"]> {
    if (ports.quarantine.restored()) throw new Problem("restore_unconfirmed");
    if (!ports.leakSenders) throw new Problem("endpoint_unknown");
    return ports.leakSenders;
  }

  async function reject(code: ProblemCode, sender: string | null, address: string | null, detail?: string) {
    await rejected.note(code, sender, address);
    return new Problem(code, detail);
  }

  async function take(message: SignedMessage, bytes: Uint8Array, address: string | null): Promise<Response> {
    const { sender, digest } = message;
    let rate = rates.get(sender);
    if (!rate) rates.set(sender, (rate = new RequestRate(ports.clock, PER_SENDER, PER_SENDER_MS)));
    try {
      rate.demand();
      const reports = readLeakMessage(bytes);
      if (typeof reports === "string") throw new Problem("field_invalid", reports);
      const sightings = reports.flatMap(({ token, url, source }) =>
        judgeText(ports.leakHolder, token.reveal()).map((found) => ({ found, url, source })),
      );
      const witness = { actor: `leaks:${sender}`, sender, message: digest, address };
      const { seq } = await ports.leaks.take(sightings, witness);
      senders().taken(message, seq);
      return accepted(reports.length, seq);
    } catch (cause) {
      // Nothing was done: the same message is welcome again.
      senders().failed(message);
      throw cause;
    }
  }

  async function read(request: Request): Promise<Uint8Array> {
    if (request.headers.has("content-encoding")) throw new Problem("encoding_unsupported");
    return readBytes(request, LEAK_MESSAGE_BYTES_MAX);
  }

  /** Until it is proven, a message is its network's work, and delays no other. */
  function inTurn(address: string | null, work: () => Promise<Response>): Promise<Response> {
    return unproven.run(address === null ? "unknown" : networkPrefix(address), work);
  }

  return {
    github: (request, address) =>
      inTurn(address, async () => {
        const known = senders();
        if (!known.acceptsGithub) throw new Problem("endpoint_unknown");
        const bytes = await read(request);
        const { headers } = request;
        const keyId = headers.get("github-public-key-identifier");
        const message = await known.fromGithub(bytes, keyId, headers.get("github-public-key-signature"));
        if (!message) throw await reject("leak_report_unsigned", null, address);
        if (!message.isReplayed) return take(message, bytes, address);
        // GitHub's messages have no id: a repeated one is answered as the first, and does nothing.
        await rejected.note("leak_report_replayed", message.sender, address);
        return accepted(0, message.receipt);
      }),

    webhook: (request, address) =>
      inTurn(address, async () => {
        const known = senders();
        if (!known.acceptsWebhooks) throw new Problem("endpoint_unknown");
        const bytes = await read(request);
        const { headers } = request;
        const signed = {
          id: headers.get("webhook-id"),
          timestamp: headers.get("webhook-timestamp"),
          signature: headers.get("webhook-signature"),
        };
        const message = known.fromWebhook(signed, Buffer.from(bytes).toString("utf8"));
        if (!message) throw await reject("leak_report_unsigned", null, address);
        if (message.isReplayed)
          throw await reject("leak_report_replayed", message.sender, address, `record ${message.receipt ?? "pending"}`);
        return take(message, bytes, address);
      }),
  };
}

/** `receipt`: the number of the record in the audit log; null for a repeated message whose first is still being judged. */
function accepted(reports: number, receipt: number | undefined): Response {
  return answerJson(202, { accepted: reports, receipt: receipt ?? null });
}

/** Records rejected reports, at most one a second: a flood must not fill the disk. The next says how many came in between. */
class RejectedReports {
  readonly #ports: Pick<AdminPorts, "clock" | "changes">;
  #lastMs = -Infinity;
  #coalesced = 0;

  constructor(ports: Pick<AdminPorts, "clock" | "changes">) {
    this.#ports = ports;
  }

  /** Never rejects: a report that is not believed is not believed, recorded or not. */
  async note(code: ProblemCode, sender: string | null, address: string | null): Promise<void> {
    const { clock, changes } = this.#ports;
    const nowMs = clock.monotonic();
    if (nowMs - this.#lastMs < REJECTED_EVERY_MS) {
      this.#coalesced++;
      return;
    }
    this.#lastMs = nowMs;
    const coalesced = this.#coalesced;
    this.#coalesced = 0;
    const fields = { code, sender, coalesced, ...(address === null ? {} : { address }) };
    const actor = sender === null ? "unauthenticated" : `leaks:${sender}`;
    const event = { type: "leak.rejected", at: clock.now(), environment: SYSTEM_REALM, actor, fields } as const;
    try {
      await changes.inTurn(() => changes.change({ operations: [], events: [event] }));
    } catch {
      this.#coalesced += coalesced + 1;
    }
  }
}
