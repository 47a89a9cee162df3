/** The shared worker: holds the one connection of the browser and passes on what comes to all tabs that are shown. */
import { EventConnection } from "./event-connection.ts";
import type { HolderMessage } from "./event-messages.ts";
import { EventTabs } from "./event-tabs.ts";

const SWEEP_MS = 30_000;

const tabs = new EventTabs<MessagePort>();
const connection = new EventConnection({
  fetch: (path, init) => fetch(path, init),
  say: (message) => tabs.send(message),
  random: () => Math.random(),
  later: (run, ms) => setTimeout(run, ms),
  cancel: (timer) => clearTimeout(timer),
});

addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent).ports;
  if (!port) return;
  port.addEventListener("message", ({ data }: MessageEvent<HolderMessage>) => {
    if (data.says === "gone") return leave(port);
    if (data.says === "again") return connection.tryNow();
    const isNew = tabs.here(port, (message) => port.postMessage(message), data.isShown, performance.now());
    connection.useToken(data.token);
    if (isNew) port.postMessage({ of: "state", state: connection.state });
  });
  port.start();
});

setInterval(() => {
  tabs.sweep(performance.now());
  if (tabs.size === 0) connection.close();
}, SWEEP_MS);

function leave(port: MessagePort): void {
  tabs.gone(port);
  port.close();
  if (tabs.size === 0) connection.close();
}
