/** The one connection: it goes on where it was, comes back by itself with jitter, and stops when the session is over. */
import { beforeEach, expect, test } from "vitest";
import { EventConnection } from "./event-connection.ts";
import type { TabMessage } from "./event-messages.ts";

interface Asked {
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  answer(response: Response): void;
  fail(): void;
}

let asked: Asked[];
let said: TabMessage[];
let timers: { readonly id: number; readonly run: () => void; readonly ms: number }[];
let next: number;
let connection: EventConnection;

beforeEach(() => {
  [asked, said, timers, next] = [[], [], [], 1];
  connection = new EventConnection({
    fetch: (_path, { headers, signal }) =>
      new Promise((answer, reject) => {
        const fail = (): void => reject(new TypeError("failed to fetch"));
        signal!.addEventListener("abort", fail);
        asked.push({ headers: headers as Record<string, string>, signal: signal!, answer, fail });
      }),
    say: (message) => said.push(message),
    random: () => 1,
    later: (run, ms) => {
      timers.push({ id: next, run, ms });
      return next++ as unknown as ReturnType<typeof setTimeout>;
    },
    cancel: (id) => void (timers = timers.filter((timer) => timer.id !== (id as unknown as number))),
  });
});

const settle = async (): Promise<void> => void (await new Promise((resolve) => setTimeout(resolve, 5)));
const states = (): string[] => said.flatMap((one) => (one.of === "state" ? [`${one.state.is} ${one.state.says}`.trim()] : [])); // prettier-ignore

function stream(): { readonly response: Response; send(text: string): void; end(): void } {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
  const encoder = new TextEncoder();
  return {
    response: new Response(body, { status: 200 }),
    send: (text) => controller.enqueue(encoder.encode(text)),
    end: () => controller.close(),
  };
}
const HELLO = 'id: run-5\nevent: hello\ndata: {"version":"1.2.3","run":"run"}\n\n';
const problem = (status: number, title: string): Response => new Response(JSON.stringify({ title }), { status });

test("opens with the token, passes on what comes, and goes on after the last id", async () => {
  connection.useToken("t");
  connection.useToken("t");
  expect(asked.map(({ headers }) => [headers["x-sallyport-console"], headers["last-event-id"]])).toEqual([["t", undefined]]); // prettier-ignore
  const first = stream();
  asked[0]!.answer(first.response);
  first.send(`${HELLO}: heartbeat\n\nid: run-6\nevent: changed\nda`);
  await settle();
  first.send('ta: {"kinds":["keys"]}\n\n');
  await settle();
  expect(said.at(-1)).toEqual({ of: "changed", kinds: ["keys"] });
  expect(connection.state).toEqual({ is: "open", says: "", version: "1.2.3" });
  first.end();
  await settle();
  expect(states().at(-1)).toBe("lost the gateway closed the connection");
  timers.at(-1)!.run();
  expect(asked[1]!.headers["last-event-id"]).toBe("run-6");
});

test("waits longer each time, no longer than a quarter of a minute, and at once when it is asked to", async () => {
  connection.useToken("t");
  const waits: number[] = [];
  for (let n = 0; n < 8; n++) {
    asked.at(-1)!.fail();
    await settle();
    waits.push(timers.at(-1)!.ms);
    timers.at(-1)!.run();
  }
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  const before = asked.length;
  connection.tryNow();
  expect([asked.length, asked.at(-2)!.signal.aborted]).toEqual([before + 1, true]);
});

test("what is silent for long is lost", async () => {
  connection.useToken("t");
  const open = stream();
  asked[0]!.answer(open.response);
  open.send(HELLO);
  await settle();
  const silence = timers.find(({ ms }) => ms === 40_000)!;
  silence.run();
  expect([states().at(-1), asked[0]!.signal.aborted]).toEqual(["lost the gateway is slow to answer", true]);
});

test("a session that is over is not tried again; a new token is", async () => {
  connection.useToken("old");
  asked[0]!.answer(problem(401, "the session has ended"));
  await settle();
  expect([states().at(-1), timers]).toEqual(["ended the session has ended", []]);
  connection.useToken("new");
  expect([asked.length, connection.state.is]).toEqual([2, "connecting"]);
  connection.useToken(null);
  expect([connection.state.is, asked[1]!.signal.aborted]).toEqual(["ended", true]);
});

test("a right that is missing is not an ended session, and is not tried again", async () => {
  connection.useToken("t");
  asked[0]!.answer(problem(403, "the key does not grant this"));
  await settle();
  expect([states().at(-1), timers]).toEqual(["denied the key does not grant this", []]);
  connection.useToken("new");
  expect(connection.state.is).toBe("connecting");
});

test.each([
  [503, "this gateway was restored from a backup"],
  [429, "too many event streams are open"],
])("an answer of %i is said and tried again", async (status, title) => {
  connection.useToken("t");
  asked[0]!.answer(problem(status, title));
  await settle();
  expect([states().at(-1), timers.length]).toEqual([`lost ${title}`, 1]);
});

test("the reason of the gateway is said, and hostile text is no event", async () => {
  connection.useToken("t");
  const open = stream();
  asked[0]!.answer(open.response);
  open.send(`${HELLO}event: end\ndata: {"code":"stopping","says":"the gateway stops"}\n\n`);
  await settle();
  expect(states().at(-1)).toBe("lost the gateway stops");
  timers.at(-1)!.run();
  const other = stream();
  asked[1]!.answer(other.response);
  other.send(`${HELLO}event: requests\ndata: {"requests":\n\n`);
  await settle();
  expect(states().at(-1)).toBe("lost the gateway does not answer");
});
