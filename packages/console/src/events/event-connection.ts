/**
 * The one connection of a browser to the gateway's events: opened, read, and opened again with jitter when it is lost. It
 * goes on after the last event it has; when the gateway says that it cannot, every tab asks again.
 */
import type { ProblemBody, StreamedEvents } from "@sallyport/contract";
import { EventText } from "./event-text.ts";
import type { ConnectionState, TabMessage } from "./event-messages.ts";

export interface ConnectionPorts {
  readonly fetch: (path: string, init: RequestInit) => Promise<Response>;
  readonly say: (message: TabMessage) => void;
  /** 0 to 1. */
  readonly random: () => number;
  readonly later: (run: () => void, ms: number) => ReturnType<typeof setTimeout>;
  readonly cancel: (timer: ReturnType<typeof setTimeout>) => void;
}

const PATH = "/v1/events";
const FIRST_WAIT_MS = 500;
const WAIT_MAX_MS = 15_000;
/** The gateway says something every 15 s. */
const SILENT_MS = 40_000;

export class EventConnection {
  readonly #ports: ConnectionPorts;
  #token: string | null = null;
  #state: ConnectionState = { is: "connecting", says: "", version: null };
  #lastId: string | null = null;
  #failures = 0;
  #open: AbortController | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(ports: ConnectionPorts) {
    this.#ports = ports;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The token of the session: a new one is tried at once. Null: there is no session, and no connection. */
  useToken(token: string | null): void {
    if (token === this.#token) return;
    this.#token = token;
    this.tryNow();
  }

  tryNow(): void {
    this.#failures = 0;
    this.#begin();
  }

  close(): void {
    this.#stop();
    this.#token = null;
  }

  #stop(): void {
    this.#open?.abort();
    this.#open = undefined;
    if (this.#retry !== undefined) this.#ports.cancel(this.#retry);
    if (this.#silence !== undefined) this.#ports.cancel(this.#silence);
    this.#retry = this.#silence = undefined;
  }

  #begin(): void {
    this.#stop();
    if (this.#token === null) return this.#become({ is: "ended", says: "there is no session" });
    if (this.#state.is === "ended" || this.#state.is === "denied") this.#become({ is: "connecting", says: "" });
    const stop = (this.#open = new AbortController());
    void this.#read(stop).catch((cause: unknown) => {
      if (this.#open === stop) this.#lost(cause instanceof Refused ? cause.message : "the gateway does not answer");
    });
  }

  async #read(stop: AbortController): Promise<void> {
    this.#listen(stop);
    const answer = await this.#ports.fetch(PATH, {
      signal: stop.signal,
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      headers: {
        accept: "text/event-stream",
        "x-sallyport-console": this.#token ?? "",
        ...(this.#lastId !== null && { "last-event-id": this.#lastId }),
      },
    });
    if (this.#open !== stop) return;
    if (answer.status === 401 || answer.status === 403) {
      this.#stop();
      const is = answer.status === 401 ? "ended" : "denied";
      return this.#become({ is, says: await titleOf(answer, "the session has ended") });
    }
    if (!answer.ok || answer.body === null) throw new Refused(await titleOf(answer, `it answers ${answer.status}`));
    const text = new EventText();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (this.#open !== stop) return;
      if (done) throw new Refused("the gateway closed the connection");
      this.#listen(stop);
      for (const { event, id, data } of text.add(value)) {
        if (id !== null) this.#lastId = id;
        this.#take(event, JSON.parse(data));
      }
    }
  }

  #take(event: string, data: unknown): void {
    const { say } = this.#ports;
    if (event === "hello") {
      this.#failures = 0;
      this.#become({ is: "open", says: "", version: (data as StreamedEvents["hello"]).version });
    } else if (event === "requests") say({ of: "requests", ...(data as StreamedEvents["requests"]) });
    else if (event === "changed") say({ of: "changed", kinds: (data as StreamedEvents["changed"]).kinds });
    else if (event === "reset") say({ of: "reset", left: 0 });
    else if (event === "end") throw new Refused((data as StreamedEvents["end"]).says || "the gateway ended it");
  }

  /** What says nothing for long is not connected any more, whatever the browser thinks. */
  #listen(stop: AbortController): void {
    if (this.#silence !== undefined) this.#ports.cancel(this.#silence);
    this.#silence = this.#ports.later(() => {
      if (this.#open === stop) this.#lost("the gateway is slow to answer");
    }, SILENT_MS);
  }

  #lost(says: string): void {
    this.#stop();
    this.#become({ is: "lost", says });
    const most = Math.min(WAIT_MAX_MS, FIRST_WAIT_MS * 2 ** this.#failures++);
    // Between half and all of it: browsers that lost it together do not come back together.
    this.#retry = this.#ports.later(() => this.#begin(), most * (0.5 + this.#ports.random() / 2));
  }

  #become(state: Partial<ConnectionState>): void {
    this.#state = { ...this.#state, ...state };
    this.#ports.say({ of: "state", state: this.#state });
  }
}

/** The gateway answered, and said why not. */
class Refused extends Error {}

async function titleOf(answer: Response, otherwise: string): Promise<string> {
  const body = (await answer.json().catch(() => ({}))) as Partial<ProblemBody>;
  return body.title ?? otherwise;
}
