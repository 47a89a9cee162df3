import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { pacedConnector } from "./paced-socket.ts";

let server: Server;
let near: Socket;
let far: Socket;

beforeEach(async () => {
  server = createServer({ noDelay: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection");
  near = await connected((server.address() as AddressInfo).port);
  [far] = (await accepted) as [Socket];
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});

afterEach(() => {
  // The beat is shared: a rest that outlived the faked timers would have no end.
  vi.advanceTimersByTime(1);
  vi.useRealTimers();
  near.destroy();
  far.destroy();
  server.close();
});

function connected(port: number, timeoutMs = 5_000): Promise<Socket> {
  const options = { hostname: "127.0.0.1", host: "", protocol: "http:", port: String(port) };
  return new Promise((resolve, reject) =>
    pacedConnector(timeoutMs)(options, (error, socket) => (error ? reject(error) : resolve(socket!))),
  );
}

/** What is there, taken out as the pool's parser does it. */
async function taken(): Promise<string> {
  await once(near, "readable");
  return String(near.read());
}

/** Long enough for the kernel to bring what was sent, and no timer is moved by it. */
async function turns(): Promise<void> {
  for (let n = 0; n < 50; n++) await new Promise((resolve) => setImmediate(resolve));
}

/** The connection rests after the second of two that come together. */
async function burst(): Promise<void> {
  far.write("one");
  expect(await taken()).toBe("one");
  far.write("two");
  expect(await taken()).toBe("two");
}

test("what comes after a silence is read at once, what follows a burst with the next beat, together", async () => {
  await burst();
  far.write("three");
  await turns();
  far.write("four");
  await turns();
  expect([near.readableLength, near.bytesRead]).toEqual([0, 6]);
  vi.advanceTimersByTime(1);
  expect(await taken()).toBe("threefour");
});

test("chunks further apart are each read when they come", async () => {
  for (let n = 0; n < 5; n++) {
    far.write("one");
    expect(await taken()).toBe("one");
    vi.advanceTimersByTime(2);
  }
});

test("the answer to a new request does not wait for the beat", async () => {
  await burst();
  near.write("ask");
  far.write("three");
  expect(await taken()).toBe("three");
});

test("that an idle connection was closed is seen without the beat", async () => {
  await burst();
  near.unref();
  far.end();
  near.on("readable", () => near.read());
  await once(near, "end");
});

test("a bulk is read on without rests", async () => {
  far.write(Buffer.alloc(4_000_000, "x"));
  let size = 0;
  const begunMs = performance.now();
  for (let idle = 0; size < 4_000_000; idle++) {
    const read = near.read() as Buffer | null;
    if (read) {
      size += read.length;
      idle = 0;
    }
    // A busy machine brings some small pieces, and they rest: how the bytes come is the kernel's.
    if (idle >= 50) vi.advanceTimersByTime(1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(size).toBe(4_000_000);
  // With a rest for each piece of 16 kB it would be 244 ms.
  expect(performance.now() - begunMs).toBeLessThan(120);
});

test("a connection that is refused is told", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  other.close();
  await expect(connected(port)).rejects.toThrow("ECONNREFUSED");
});
