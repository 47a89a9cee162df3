/**
 * Opens a one-time delivery link: its holder needs no key, so this comes before one is required. Served by the gateway.
 */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal, TicketOpening, TicketProof } from "@sallyport/protocol";
import { TICKET_OPEN_PATH } from "@sallyport/protocol";
import type { OpenedTicket, TicketDesk, TicketFacts } from "../../keys/ticket-desk.ts";
import type { Exchange } from "../exchange.ts";
import type { Stage } from "../pipeline.ts";
import { writeOwnAnswer } from "./own-answer.ts";

export function makeTicketStage(desk: TicketDesk): Stage {
  function ask(exchange: Exchange): Promise<OpenedTicket | TicketFacts | Refusal> {
    if (exchange.path === TICKET_OPEN_PATH) {
      const opening = readOpening(exchange.json);
      return isRefusal(opening) ? Promise.resolve(opening) : desk.open(opening, exchange.address);
    }
    const proof = readProof(exchange.json);
    return Promise.resolve(isRefusal(proof) ? proof : desk.inspect(proof));
  }
  return async function ticket(exchange) {
    const found = await ask(exchange);
    return isRefusal(found) ? found : writeOwnAnswer(exchange, found);
  };
}

const PROOF_MEMBERS = ["environment", "id", "proof"];
const OPENING_MEMBERS = [...PROOF_MEMBERS, "publicKey", "at", "signature"];
const FORMS: Readonly<Record<string, RegExp>> = {
  environment: /^[a-z][a-z0-9]{0,15}$/,
  id: /^[0-9A-Za-z]{12}$/,
  proof: /^[A-Za-z0-9_-]{43}$/,
  publicKey: /^[A-Za-z0-9_-]{43}$/,
  signature: /^[A-Za-z0-9_-]{86}$/,
};

function readProof(value: unknown): TicketProof | Refusal {
  return readExactly(value, PROOF_MEMBERS) as unknown as TicketProof | Refusal;
}

function readOpening(value: unknown): TicketOpening | Refusal {
  return readExactly(value, OPENING_MEMBERS) as unknown as TicketOpening | Refusal;
}

/** All of the members, in their forms, and no other. */
function readExactly(value: unknown, members: readonly string[]): object | Refusal {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse("json_malformed");
  const said = value as Readonly<Record<string, unknown>>;
  const strange = Object.keys(said).find((name) => !members.includes(name));
  if (strange !== undefined) return refuse("field_invalid", "a member that is not known here");
  for (const name of members) {
    const member = said[name];
    const isRight =
      name === "at" ? Number.isSafeInteger(member) : typeof member === "string" && FORMS[name]!.test(member);
    if (!isRight) return refuse("field_invalid", name);
  }
  return said;
}
