import { generateKeyPairSync, hkdfSync, sign } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { isRefusal, ticketOpeningText, ticketProofInfo, ticketPurpose } from "@sallyport/protocol";
import type { TicketOpening } from "@sallyport/protocol";
import { ringOf } from "../../../../test/builders.ts";
import type { Change } from "../changes/change.ts";
import { Secret } from "../kernel/secret.ts";
import { KeyDirectory } from "./directory.ts";
import { issueKey } from "./issue.ts";
import type { KeyRecord } from "./key.ts";
import { openText } from "./sealed-text.ts";
import { TicketDesk } from "./ticket-desk.ts";
import { makeTicket } from "./ticket.ts";
import type { TicketRecord } from "./ticket.ts";

const MINUTE = 60_000;
const pepper = { version: 1, bytes: Buffer.alloc(32, 3) };
const peppers = ringOf(pepper);

let now: number;
let key: KeyRecord;
let keyText: Secret;
let ticket: TicketRecord;
let text: Secret;
let events: string[];
let desk: TicketDesk;

function makeWorld(more: Partial<Pick<TicketRecord, "networks">> = {}): void {
  now = 1_000_000;
  events = [];
  const ceiling = { roles: [], allow: [], models: [] };
  const what = { environment: "dev", name: "k", owner: "p", ceiling, limits: {}, createdBy: "x" };
  ({ record: key, text: keyText } = issueKey({ ...what, createdAt: now, expiresAt: now * 9 }, peppers));
  const order = { environment: "dev", keyId: key.id, keyName: "k", purpose: "create" as const, recipient: null };
  const times = { createdAt: now, createdBy: "x", expiresAt: now + 15 * MINUTE };
  ({ record: ticket, text } = makeTicket({ ...order, ...times, networks: null, content: keyText, ...more }, peppers));
  const keys = new KeyDirectory({ key: () => key, eachKeyId: (visit) => visit("dev", key.id) }, peppers);
  const change = ({ operations, events: told }: Change): Promise<{ epoch: number; seq: number }> => {
    for (const operation of operations) {
      if (operation.op === "ticket.put") ticket = operation.ticket;
      if (operation.op === "key.state") key = { ...key, state: operation.state, reason: operation.reason };
    }
    keys.apply([{ of: "key", environment: "dev", id: key.id, now: undefined }]);
    events.push(...told.map(({ type }) => type));
    return Promise.resolve({ epoch: 1, seq: 1 });
  };
  desk = new TicketDesk({
    clock: { now: () => now, monotonic: () => now },
    peppers,
    keys,
    ticket: (environment, id) => (environment === "dev" && id === ticket.id ? ticket : undefined),
    sealedTickets: () => (ticket.sealed === null ? [] : [ticket]),
    changes: { change, inTurn: (work) => work() },
    isInside: (networks, address) => networks.includes(address),
  });
}
beforeEach(() => makeWorld());

const proof = (): string =>
  Buffer.from(hkdfSync("sha256", text.reveal(), "", ticketProofInfo, 32)).toString("base64url");

function makeOpener(): (change?: Partial<TicketOpening>) => TicketOpening {
  const pair = generateKeyPairSync("ed25519");
  const publicKey = pair.publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("base64url");
  return (change = {}) => {
    const opening = { environment: "dev", id: ticket.id, proof: proof(), publicKey, at: now };
    const signature = sign(null, Buffer.from(ticketOpeningText(opening)), pair.privateKey).toString("base64url");
    return { ...opening, signature, ...change };
  };
}

const codeOf = async (opening: TicketOpening, address = "10.0.0.1"): Promise<string> => {
  const said = await desk.open(opening, address);
  return isRefusal(said) ? said.code : openText(text, ticketPurpose("dev", ticket.id), said.sealed)!.reveal();
};

describe("a ticket", () => {
  it("gives the key's text to the first opener, who may repeat for a minute, and to nobody else", async () => {
    const first = makeOpener();
    expect(await codeOf(first())).toBe(keyText.reveal());
    now += MINUTE - 1;
    expect(await codeOf(first())).toBe(keyText.reveal());
    now += 1;
    expect(await codeOf(first())).toBe("ticket_opened");
    expect(key.state).toBe("active");
    expect(events).toEqual(["ticket.opened"]);
  });

  it("a second opener within its life suspends the key at once, and the first one's repeat ends too", async () => {
    const first = makeOpener();
    await codeOf(first());
    expect(await codeOf(makeOpener()())).toBe("ticket_opened");
    expect(key).toMatchObject({ state: "suspended", reason: "ticket_opened_twice" });
    expect(events).toEqual(["ticket.opened", "ticket.opened_twice", "key.suspended"]);
    expect(await codeOf(first())).toBe("ticket_opened");
  });

  it("a second opener takes a key that stands still for disuse away from its owner", async () => {
    await codeOf(makeOpener()());
    key = { ...key, state: "suspended", reason: "key_never_used" };
    await codeOf(makeOpener()());
    expect(key).toMatchObject({ state: "suspended", reason: "ticket_opened_twice" });
    await codeOf(makeOpener()());
    expect(events.filter((type) => type === "key.suspended")).toHaveLength(1);
  });

  it("a second opener after its life only alerts", async () => {
    await codeOf(makeOpener()());
    now += 15 * MINUTE;
    expect(await codeOf(makeOpener()())).toBe("ticket_opened");
    expect(key.state).toBe("active");
    expect(events).toEqual(["ticket.opened", "ticket.opened_late"]);
  });

  it("expired unopened is its own event, and nothing is given", async () => {
    now += 15 * MINUTE;
    expect(await codeOf(makeOpener()())).toBe("ticket_expired");
    expect(events).toEqual(["ticket.expired"]);
    expect(key.state).toBe("active");
  });

  it("from another network it is its own event, and the ticket is not used up", async () => {
    makeWorld({ networks: ["10.0.0.1"] });
    const first = makeOpener();
    expect(await codeOf(first(), "10.0.0.2")).toBe("ticket_elsewhere");
    expect(events).toEqual(["ticket.unexpected_network"]);
    expect(await codeOf(first())).toBe(keyText.reveal());
  });

  it("a wrong proof, an unsigned or a borrowed opening, and a clock far off change nothing", async () => {
    const [first, other] = [makeOpener(), makeOpener()];
    expect(await codeOf(first({ proof: "A".repeat(43) }))).toBe("ticket_unknown");
    expect(await codeOf(first({ id: "A".repeat(12) }))).toBe("ticket_unknown");
    expect(await codeOf(first({ signature: "A".repeat(86) }))).toBe("field_invalid");
    expect(await codeOf(first({ publicKey: other().publicKey }))).toBe("field_invalid");
    expect(await codeOf({ ...first(), at: now + 1 })).toBe("field_invalid");
    const old = first();
    now += 5 * MINUTE + 1;
    expect(await codeOf(old)).toBe("field_invalid");
    expect([events, ticket.openedAt, key.state]).toEqual([[], null, "active"]);
  });

  it("is inspected without being opened", () => {
    const said = { environment: "dev", id: ticket.id, proof: proof() };
    expect(desk.inspect(said)).toMatchObject({ keyId: key.id, state: "unopened", purpose: "create" });
    expect(desk.inspect({ ...said, proof: "A".repeat(43) })).toEqual({ code: "ticket_unknown" });
    now += 15 * MINUTE;
    expect(desk.inspect(said)).toMatchObject({ state: "expired" });
    expect([events, ticket.openedAt]).toEqual([[], null]);
  });

  it("lets go of its content when nobody may read it any more", async () => {
    expect(await desk.tidy()).toBe(0);
    await codeOf(makeOpener()());
    now += MINUTE;
    expect(await desk.tidy()).toBe(1);
    expect([ticket.sealed, events.at(-1)]).toEqual([null, "ticket.closed"]);
    makeWorld();
    now += 15 * MINUTE;
    expect([await desk.tidy(), await desk.tidy(), events]).toEqual([1, 0, ["ticket.expired"]]);
  });

  it("is not in its own record", () => {
    const held = JSON.stringify(ticket);
    for (const secret of [text.reveal().slice(-49), keyText.reveal().slice(-49), proof()])
      expect(held).not.toContain(secret);
  });
});
