import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { createDataServer } from "./server.ts";
import type { DataServerPorts } from "./server.ts";

/** A listener that knows of one thing only: whether an answer is under way on a connection. */
const listener = (isBusy: boolean) =>
  createDataServer(
    { connections: { isBusy: () => isBusy }, refusedByParser: () => {} } as never as DataServerPorts,
    null,
  );
const reset = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
const malformed = Object.assign(new Error("Parse Error"), { code: "HPE_INVALID_METHOD" });

// Node takes its own listener off such a socket: an error that nobody listens for ends the program.
it.each([
  ["CONNECT", "connect", [{}], false],
  ["CONNECT during an answer", "connect", [{}], true],
  ["what is no HTTP", "clientError", [malformed], false],
  ["what is no HTTP, during an answer", "clientError", [malformed], true],
] as const)("a reset after %s does not end the program", (_, event, before, isBusy) => {
  const socket = new PassThrough();
  listener(isBusy).emit(event, ...before, socket);
  expect(() => socket.emit("error", reset)).not.toThrow();
  expect(socket.destroyed).toBe(true);
});
