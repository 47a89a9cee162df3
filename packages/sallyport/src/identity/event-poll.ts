/** Asks a transmitter for its security events (RFC 8936) and acknowledges those that were taken. */
import type { SendBounded } from "../kernel/bounded-request.ts";
import type { Secret } from "../kernel/secret.ts";
import { readJson } from "../kernel/strict-json/read-json.ts";
import type { EventReceiver } from "./event-receiver.ts";
import { FailedClaims } from "./failed-claims.ts";

export interface EventPollPorts {
  readonly url: string;
  readonly bearer: Secret;
  readonly send: SendBounded;
  readonly receiver: Pick<EventReceiver, "receive">;
}

const EVENTS_AT_ONCE = 50;
/** Rounds of one look: a sender that never ends is looked at again later. */
const ROUNDS_MAX = 20;

export class EventPoll {
  readonly #ports: EventPollPorts;

  constructor(ports: EventPollPorts) {
    this.#ports = ports;
  }

  /** Takes what there is. Throws where the transmitter cannot be asked, or something cannot be verified now; it keeps that. */
  async look(): Promise<void> {
    let ack: string[] = [];
    let setErrs: Record<string, { err: string; description: string }> = {};
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const sets = await this.#ask({ maxEvents: EVENTS_AT_ONCE, returnImmediately: true, ack, setErrs });
      ack = [];
      setErrs = {};
      let isWaiting = false;
      for (const [id, text] of sets) {
        const wrong = await this.#ports.receiver.receive(text, id);
        if (!(wrong instanceof FailedClaims)) ack.push(id);
        else if (wrong.failure === "unavailable") isWaiting = true;
        else setErrs[id] = { err: wrong.failure, description: wrong.says };
      }
      const hasAnswer = ack.length > 0 || Object.keys(setErrs).length > 0;
      if (isWaiting) {
        if (hasAnswer) await this.#ask({ maxEvents: 0, returnImmediately: true, ack, setErrs });
        throw new Error("an event cannot be verified now");
      }
      if (!hasAnswer) return;
    }
  }

  async #ask(body: object): Promise<readonly [string, string][]> {
    const { url, bearer, send } = this.#ports;
    const headers = {
      authorization: `Bearer ${bearer.reveal()}`,
      "content-type": "application/json",
      accept: "application/json",
    };
    const answer = await send({ method: "POST", url, headers, body: JSON.stringify(body) });
    if (answer.status !== 200) throw new Error(`the transmitter answered ${answer.status}`);
    const read = readJson(Buffer.from(answer.text, "utf8"));
    const sets = read.ok ? (read.value as { sets?: unknown } | null)?.sets : undefined;
    if (typeof sets !== "object" || sets === null || Array.isArray(sets))
      throw new Error("the transmitter's answer has no sets");
    const entries = Object.entries(sets).slice(0, EVENTS_AT_ONCE);
    return entries.map(([id, text]) => [id, typeof text === "string" ? text : ""]);
  }
}
