/**
 * Opens one-time delivery links: the proof is checked, then the outcome is decided and on disk, with its event, before
 * anything is returned. Expired, opened twice and opened from elsewhere are three different events.
 */
import { refuse, TICKET_SKEW_MS } from "@sallyport/protocol";
import type { Refusal, TicketOpening, TicketProof } from "@sallyport/protocol";
import type { Changes, Operation } from "../changes/change.ts";
import type { EventType, LedgerEvent } from "../audit/event.ts";
import type { Clock } from "../kernel/clock.ts";
import { hashesAreEqual, hashKeyText } from "./hash.ts";
import type { KeyDirectory } from "./directory.ts";
import { isSuspendedForDisuse } from "./own-resume.ts";
import type { PepperRing } from "./pepper.ts";
import { isOpeningSigned, isTicketOver, judgeOpening } from "./ticket.ts";
import type { TicketRecord } from "./ticket.ts";

export interface TicketDeskPorts {
  readonly clock: Clock;
  readonly peppers: PepperRing;
  readonly keys: KeyDirectory;
  readonly ticket: (environment: string, id: string) => TicketRecord | undefined;
  /** Links whose content still exists, oldest first. */
  readonly sealedTickets: () => readonly TicketRecord[];
  readonly changes: Changes;
  readonly isInside: (networks: readonly string[], address: string) => boolean;
}

export interface OpenedTicket {
  readonly keyId: string;
  readonly keyName: string;
  readonly recipient: string | null;
  readonly sealed: string;
}

export interface TicketFacts extends Pick<
  TicketRecord,
  "keyId" | "keyName" | "environment" | "purpose" | "recipient" | "createdAt" | "createdBy" | "expiresAt"
> {
  readonly state: "unopened" | "opened" | "expired";
}

const ACTOR = "ticket";

export class TicketDesk {
  readonly #ports: TicketDeskPorts;

  constructor(ports: TicketDeskPorts) {
    this.#ports = ports;
  }

  /** What the link delivers, without opening it. */
  inspect(said: TicketProof): TicketFacts | Refusal {
    const ticket = this.#proven(said);
    if (!ticket) return refuse("ticket_unknown");
    const { keyId, keyName, environment, purpose, recipient, createdAt, createdBy, expiresAt, openedAt } = ticket;
    const isExpired = expiresAt <= this.#ports.clock.now();
    const state = openedAt === null ? (isExpired ? "expired" : "unopened") : "opened";
    return { keyId, keyName, environment, purpose, recipient, createdAt, createdBy, expiresAt, state };
  }

  /** The encrypted content for the first opener; for anyone else the reason why not, and its consequences. */
  open(said: TicketOpening, address: string): Promise<OpenedTicket | Refusal> {
    return this.#ports.changes.inTurn(async () => {
      const now = this.#ports.clock.now();
      const ticket = this.#proven(said);
      if (!ticket) return refuse("ticket_unknown");
      if (!isOpeningSigned(said) || Math.abs(now - said.at) > TICKET_SKEW_MS)
        return refuse("field_invalid", "the opening is not signed by its public key, or its clock is far off");
      if (ticket.networks !== null && !this.#ports.isInside(ticket.networks, address)) {
        await this.#commit(ticket, "ticket.unexpected_network", { address });
        return refuse("ticket_elsewhere");
      }
      return this.#judged(ticket, said.publicKey, address, now);
    });
  }

  async #judged(
    ticket: TicketRecord,
    publicKey: string,
    address: string,
    now: number,
  ): Promise<OpenedTicket | Refusal> {
    switch (judgeOpening(ticket, publicKey, now)) {
      case "first": {
        const next = { ...ticket, openedAt: now, openedBy: publicKey };
        await this.#commit(ticket, "ticket.opened", { address }, [{ op: "ticket.put", ticket: next }]);
        return openedOf(ticket);
      }
      case "repeated":
        return openedOf(ticket);
      case "second_opener":
        await this.#suspendKey(ticket, address);
        return refuse("ticket_opened");
      case "late":
        await this.#commit(ticket, "ticket.opened_late", { address });
        return refuse("ticket_opened");
      case "over":
        return refuse("ticket_opened");
      case "expired":
        await this.#commit(ticket, "ticket.expired", { address });
        return refuse("ticket_expired");
    }
  }

  /** Two parties have had the link, so it is unknown who has the key. */
  async #suspendKey(ticket: TicketRecord, address: string): Promise<void> {
    const { environment, keyId: id } = ticket;
    const operations: Operation[] = [];
    const wiped = { ...ticket, sealed: null };
    if (ticket.sealed !== null) operations.push({ op: "ticket.put", ticket: wiped });
    const key = this.#ports.keys.find(environment, id);
    if (key && (key.state === "active" || isSuspendedForDisuse(key)))
      operations.push({ op: "key.state", environment, id, state: "suspended", reason: "ticket_opened_twice" });
    const more = operations.some(({ op }) => op === "key.state") ? [this.#event(ticket, "key.suspended", {})] : [];
    await this.#commit(ticket, "ticket.opened_twice", { address }, operations, more);
  }

  /** Deletes content that can no longer be read, and reports links that expired unopened. Returns how many. */
  async tidy(): Promise<number> {
    const over = this.#ports.sealedTickets().filter((ticket) => isTicketOver(ticket, this.#ports.clock.now()));
    for (const { environment, id } of over)
      await this.#ports.changes.inTurn(async () => {
        const ticket = this.#ports.ticket(environment, id);
        if (!ticket?.sealed || !isTicketOver(ticket, this.#ports.clock.now())) return;
        const type = ticket.openedAt === null ? "ticket.expired" : "ticket.closed";
        await this.#commit(ticket, type, {}, [{ op: "ticket.put", ticket: { ...ticket, sealed: null } }]);
      });
    return over.length;
  }

  #proven(said: TicketProof): TicketRecord | undefined {
    const ticket = this.#ports.ticket(said.environment, said.id);
    const pepper = ticket && this.#ports.peppers.get(ticket.environment, ticket.pepperVersion);
    return pepper && hashesAreEqual(hashKeyText(said.proof, pepper), ticket.proofHash) ? ticket : undefined;
  }

  #event(ticket: TicketRecord, type: EventType, fields: LedgerEvent["fields"]): LedgerEvent {
    const { environment, id, keyId } = ticket;
    const at = this.#ports.clock.now();
    return { type, at, environment, actor: ACTOR, fields: { ticket: id, key: keyId, ...fields } };
  }

  async #commit(
    ticket: TicketRecord,
    type: EventType,
    fields: LedgerEvent["fields"],
    operations: readonly Operation[] = [],
    more: readonly LedgerEvent[] = [],
  ): Promise<void> {
    await this.#ports.changes.change({ operations, events: [this.#event(ticket, type, fields), ...more] });
  }
}

function openedOf({ keyId, keyName, recipient, sealed }: TicketRecord): OpenedTicket {
  if (sealed === null) throw new TypeError("a delivery link without content was opened");
  return { keyId, keyName, recipient, sealed };
}
