/**
 * How many connections a listener holds, in total and per address. A full listener makes room: it closes the oldest
 * connection whose client has not proved its identity. So idle connections block no one.
 */
import { isIPv6 } from "node:net";
import type { Socket } from "node:net";
import { isLoopbackAddress, normalizeAddress } from "../kernel/network-list.ts";
import { connectionShares } from "../kernel/shared-resources.ts";
import { Shares } from "../kernel/shares.ts";

/**
 * Connections the system holds until they are taken up (Linux: no more than `net.core.somaxconn`). What does not fit is
 * dropped, and its client tries again a whole second later: a flood must not push others out of this queue.
 */
export const ACCEPT_BACKLOG = 4_096;

export interface SeatRules {
  readonly capacity: number;
  /** The peer stands for many clients: a trusted proxy. Programs of this machine always do. */
  readonly isShared: (address: string) => boolean;
}

/** Whose credential was proved on the connection last; null where none was. */
export type ProvenOwner = () => string | null;

const NOBODY: ProvenOwner = () => null;

class Seat {
  readonly socket: Socket;
  readonly address: string;
  readonly isLocal: boolean;
  owner: ProvenOwner = NOBODY;
  /** In whose share it is kept from being closed for others. */
  keptFor: string | null = null;

  constructor(socket: Socket, address: string, isLocal: boolean) {
    this.socket = socket;
    this.address = address;
    this.isLocal = isLocal;
  }
}

export class ConnectionSeats {
  readonly #rules: SeatRules;
  readonly #ofAddress: Shares<"address">;
  readonly #ofLocal: Shares<"address">;
  readonly #ofKey: Shares<"key">;
  /** The oldest first. */
  readonly #closable = new Set<Seat>();
  readonly #bySocket = new WeakMap<Socket, Seat>();
  readonly #byPeer = new Map<string, Seat>();
  #taken = 0;
  #closed = 0;

  constructor(rules: SeatRules) {
    this.#rules = rules;
    const { ofAddress, ofLocal, ofKey } = connectionShares(rules.capacity);
    this.#ofAddress = new Shares(ofAddress);
    this.#ofLocal = new Shares(ofLocal);
    this.#ofKey = new Shares(ofKey);
  }

  get taken(): number {
    return this.#taken;
  }

  /** How many were closed, or not taken, because the listener or the share of an address was full. */
  get closedForRoom(): number {
    return this.#closed;
  }

  /** For each new connection, before anything is read from it. False: it was closed. */
  enter(socket: Socket): boolean {
    const peer = normalizeAddress(socket.remoteAddress ?? "");
    const isLocal = peer === "" || isLoopbackAddress(peer) || this.#rules.isShared(peer);
    const seat = new Seat(socket, machineOf(peer), isLocal);
    if (!this.#makeRoom(seat)) {
      this.#closed++;
      socket.destroy();
      return false;
    }
    this.#taken++;
    this.#sharesOf(seat).take(seat);
    this.#closable.add(seat);
    this.#bySocket.set(socket, seat);
    const name = peerName(socket);
    if (name !== "") this.#byPeer.set(name, seat);
    socket.once("close", () => {
      if (name !== "" && this.#byPeer.get(name) === seat) this.#byPeer.delete(name);
      this.#leave(seat);
    });
    return true;
  }

  /** Where the caller's proof is to be asked for. A TLS socket is found by the connection below it. */
  whoProves(socket: Socket, owner: ProvenOwner): void {
    const seat = this.#bySocket.get(socket) ?? this.#byPeer.get(peerName(socket));
    if (seat) seat.owner = owner;
  }

  #sharesOf({ isLocal }: Seat): Shares<"address"> {
    return isLocal ? this.#ofLocal : this.#ofAddress;
  }

  #makeRoom(seat: Seat): boolean {
    const shares = this.#sharesOf(seat);
    if (shares.heldBy("address", seat.address) >= shares.rules.perOwner.address && !this.#closeOldest(seat))
      return false;
    return this.#taken < this.#rules.capacity || this.#closeOldest(null);
  }

  /**
   * Closes the oldest connection without a proved client, of that address or of all; false if there is no such
   * connection.
   */
  #closeOldest(of: Seat | null): boolean {
    for (const seat of this.#closable) {
      if (of !== null && (seat.address !== of.address || seat.isLocal !== of.isLocal)) continue;
      if (this.#keep(seat)) continue;
      this.#closed++;
      this.#leave(seat);
      seat.socket.destroy();
      return true;
    }
    return false;
  }

  /** True where its caller has proved who they are, and their share of connections is not used up. */
  #keep(seat: Seat): boolean {
    const key = seat.owner();
    if (key === null || this.#ofKey.take({ key }) !== undefined) return false;
    seat.keptFor = key;
    this.#closable.delete(seat);
    return true;
  }

  #leave(seat: Seat): void {
    if (seat.keptFor === null ? !this.#closable.delete(seat) : false) return;
    if (seat.keptFor !== null) this.#ofKey.give({ key: seat.keptFor });
    seat.keptFor = null;
    this.#taken--;
    this.#sharesOf(seat).give(seat);
  }
}

/** One machine or household: an IPv4 address, the /64 of an IPv6 address. */
function machineOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array.from({ length: zeros }, () => "0"), ...after].slice(0, 4).join(":");
}

function peerName({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined || remotePort === undefined ? "" : `${remoteAddress} ${remotePort}`;
}
