import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { beforeEach, expect, test } from "vitest";
import { divideDescriptors, readDescriptorLimit } from "../kernel/descriptor-limit.ts";
import { ConnectionSeats } from "./connection-seats.ts";

class FakeSocket extends EventEmitter {
  static port = 1;
  readonly remoteAddress: string;
  readonly remotePort = FakeSocket.port++;
  isDestroyed = false;
  constructor(address: string) {
    super();
    this.remoteAddress = address;
  }
  destroy(): void {
    this.isDestroyed = true;
    this.emit("close");
  }
}

let seats: ConnectionSeats;
beforeEach(() => {
  seats = new ConnectionSeats({ capacity: 1_024, isShared: (peer) => peer === "10.9.9.9" });
});

function enter(address: string, owner: string | null = null): FakeSocket {
  const socket = new FakeSocket(address);
  seats.enter(socket as unknown as Socket);
  if (owner !== null) seats.whoProves(socket as unknown as Socket, () => owner);
  return socket;
}
const openOf = (sockets: readonly FakeSocket[]): number => sockets.filter(({ isDestroyed }) => !isDestroyed).length;

test("a full listener closes the oldest connection that proves nothing, and takes the new one", () => {
  const proven = enter("127.0.0.1", "dev/a");
  const idle = Array.from({ length: 1_023 }, () => enter("127.0.0.1"));
  expect(seats.taken).toBe(1_024);
  const newest = enter("127.0.0.1");
  expect([proven.isDestroyed, idle[0]!.isDestroyed, idle[1]!.isDestroyed, newest.isDestroyed]).toEqual([
    false,
    true,
    false,
    false,
  ]);
  expect([seats.taken, seats.closedForRoom]).toEqual([1_024, 1]);
});

test("a listener that many addresses fill makes room as well", () => {
  const many = Array.from({ length: 1_024 }, (_, i) => enter(`192.0.${i % 16}.1`));
  const newest = enter("198.51.100.1");
  expect([openOf(many), many[0]!.isDestroyed, newest.isDestroyed]).toEqual([1_023, true, false]);
});

test("an address has a share, all of a /64 together; programs of this machine and proxies have none", () => {
  const one = Array.from({ length: 200 }, (_, i) => enter(`2001:db8:1:2::${i.toString(16)}`));
  const other = Array.from({ length: 200 }, () => enter("192.0.2.1"));
  const mapped = Array.from({ length: 100 }, () => enter("::ffff:192.0.2.1"));
  const local = Array.from({ length: 200 }, () => enter("::1"));
  const proxied = Array.from({ length: 200 }, () => enter("10.9.9.9"));
  expect([openOf(one), openOf([...other, ...mapped]), openOf(local), openOf(proxied)]).toEqual([128, 128, 200, 200]);
});

test("a key keeps a quarter of all connections, and no more, when room is needed", () => {
  const greedy = Array.from({ length: 1_024 }, () => enter("127.0.0.1", "dev/greedy"));
  const others = Array.from({ length: 700 }, () => enter("127.0.0.1"));
  expect([openOf(greedy), openOf(others)]).toEqual([324, 700]);
  const more = Array.from({ length: 700 }, () => enter("127.0.0.1"));
  expect([openOf(greedy), openOf([...others, ...more])]).toEqual([256, 768]);
});

test("what closes is given back, once", () => {
  const sockets = Array.from({ length: 50 }, (_, i) => enter("192.0.2.1", i % 2 === 0 ? "dev/a" : null));
  Array.from({ length: 2_000 }, () => enter("127.0.0.1")).forEach((socket) => socket.destroy());
  sockets.forEach((socket) => socket.destroy());
  expect(seats.taken).toBe(0);
});

test("descriptors are left for administration, files and model servers, whatever the limit", () => {
  expect(readDescriptorLimit()).toBeGreaterThan(0);
  for (const limit of [256, 1_024, 4_096, 20_000, 1_048_576, Number.MAX_SAFE_INTEGER]) {
    const { data, admin, adminSocket } = divideDescriptors(limit);
    if (limit >= 256) expect(2 * data + admin + adminSocket).toBeLessThanOrEqual(limit - 64);
    expect(Math.min(data, admin, adminSocket)).toBeGreaterThanOrEqual(4);
  }
});
