/**
 * The tab's side of live events: through the shared worker, or where the browser has none, through the tab that holds a
 * lock. Pages hear `requests` and what changed; the frame hears how the connection is.
 */
import { sessionToken } from "../session-token.ts";
import { EventConnection } from "./event-connection.ts";
import type { ConnectionState, HolderMessage, TabMessage } from "./event-messages.ts";
import { EventTabs } from "./event-tabs.ts";
import { eventsWorkerAddress } from "../worker-address.ts";

const NAME = "sallyport-events";
/** A tab says that it is there. */
const HERE_MS = 20_000;

type Hear = (message: TabMessage) => void;

const listeners = new Set<Hear>();
let state: ConnectionState = { is: "connecting", says: "", version: null };
let tellHolder: ((message: HolderMessage) => void) | undefined;

/** Calls `hear` with each message until what it returns is called. */
export function hearEvents(hear: Hear): () => void {
  listeners.add(hear);
  return () => void listeners.delete(hear);
}

export function connectionState(): ConnectionState {
  return state;
}

/** There may be a session now: connects, and every page asks again. */
export function refresh(): void {
  sayHere();
  tellHolder?.({ says: "again" });
  spread({ of: "reset", left: 0 });
}

function spread(message: TabMessage): void {
  if (message.of === "state") state = message.state;
  for (const hear of listeners) hear(message);
}

function sayHere(): void {
  tellHolder?.({ says: "here", token: sessionToken(), isShown: !document.hidden });
}

/** Begins, once, when there is a session. */
export function followEvents(): void {
  if (tellHolder) return sayHere();
  tellHolder = "SharedWorker" in globalThis ? throughWorker() : throughLeader();
  document.addEventListener("visibilitychange", sayHere);
  // Another tab began or ended the session.
  addEventListener("storage", sayHere);
  addEventListener("pagehide", () => tellHolder?.({ says: "gone" }));
  addEventListener("pageshow", ({ persisted }) => persisted && sayHere());
  setInterval(sayHere, HERE_MS);
  sayHere();
}

function throughWorker(): (message: HolderMessage) => void {
  let port = open();
  function open(): MessagePort {
    const { port: made } = new SharedWorker(eventsWorkerAddress(), { name: NAME });
    made.addEventListener("message", ({ data }: MessageEvent<TabMessage>) => spread(data));
    made.start();
    return made;
  }
  let isGone = false;
  return (message) => {
    // A page that comes back out of the browser's cache has said that it is gone.
    if (isGone && message.says === "here") {
      port = open();
      isGone = false;
    }
    if (message.says === "gone") isGone = true;
    port.postMessage(message);
  };
}

/** The first tab that gets the lock holds the connection, and the next one when it has gone. */
function throughLeader(): (message: HolderMessage) => void {
  const channel = new BroadcastChannel(NAME);
  const self = new EventTabs<"self">();
  let connection: EventConnection | undefined;
  const take = (message: TabMessage): void => self.send(message);
  channel.addEventListener("message", ({ data }: MessageEvent<TabMessage | { readonly asks: "state" | "again" }>) => {
    if (!("asks" in data)) return take(data);
    if (!connection) return;
    if (data.asks === "again") connection.tryNow();
    else channel.postMessage({ of: "state", state: connection.state });
  });
  void navigator.locks.request(NAME, () => {
    connection = new EventConnection({
      fetch: (path, init) => fetch(path, init),
      say: (message) => {
        channel.postMessage(message);
        take(message);
      },
      random: () => Math.random(),
      later: (run, ms) => setTimeout(run, ms),
      cancel: (timer) => clearTimeout(timer),
    });
    connection.useToken(sessionToken());
    // The lock is the tab's until it closes.
    return new Promise<void>(() => undefined);
  });
  return (message) => {
    if (message.says === "again") return connection ? connection.tryNow() : channel.postMessage({ asks: "again" });
    if (message.says === "gone") return;
    const isNew = self.here("self", spread, message.isShown, performance.now());
    connection?.useToken(message.token);
    if (isNew && !connection) channel.postMessage({ asks: "state" });
  };
}
