/** Identity providers, joined from settings: what they send, and the looks this gateway takes by itself. Loaded only where one is set. */
import { RequestRate } from "../admin/request-rate.ts";
import type { IdentitySettings, ProviderSettings } from "../config/identity-file.ts";
import { DirectoryReader } from "../identity/directory-pages.ts";
import { DirectoryPoll } from "../identity/directory-poll.ts";
import { EventPoll } from "../identity/event-poll.ts";
import { EventReceiver } from "../identity/event-receiver.ts";
import { IssuerKeys } from "../identity/issuer-keys.ts";
import { LogOut } from "../identity/log-out.ts";
import { SeenTokens } from "../identity/seen-tokens.ts";
import { Signals } from "../identity/signals.ts";
import type { SignalSource } from "../identity/signals.ts";
import { sendBounded } from "../kernel/bounded-request.ts";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import type { Registry } from "../outlets/metrics/registry.ts";
import type { Core } from "./core.ts";
import { readSecret } from "./read-secret.ts";

export interface OpenIdentity {
  readonly signals: Signals;
  /** Takes every look now; what fails is logged and tried again. */
  lookNow(): Promise<void>;
  close(): void;
}

/** Concurrent genuine log-outs of one issuer; others are asked to retry. */
const LOG_OUTS = 100;
const LOG_OUTS_MS = 2_000;
const FIRST_MS = 5_000;
/** Failing looks come less and less often, but at least so often. */
const LATEST_MS = 10 * 60_000;
/** A provider that has been silent for this long is logged as an error. */
const SILENT_MS = 15 * 60_000;

/** Throws `store_unavailable` where a secret cannot be read. */
export function openIdentity({ providers }: IdentitySettings, core: Core, registry: Registry, log: Log): OpenIdentity {
  const looks: Look[] = [];
  const sources = providers.map((provider): SignalSource => {
    const { clock, reconciler } = core;
    const keys = keysAt(provider.keysUrl, core);
    const transmitterKeys = provider.transmitter ? keysAt(provider.transmitter.keysUrl, core) : keys;
    const parts = { clock, provider, reconciler };
    const events = new EventReceiver({ ...parts, keys: transmitterKeys, seen: new SeenTokens(clock) });
    const rate = new RequestRate(clock, LOG_OUTS, LOG_OUTS_MS);
    const logOut = new LogOut({ ...parts, keys, seen: new SeenTokens(clock), demandRate: () => rate.demand() });
    looks.push(...looksOf(provider, events, core, log));
    const bearer = provider.push && readSecret(provider.push.secret, `the push secret of ${provider.name}`);
    return { issuer: provider.issuer, bearer, events, logOut };
  });
  registry.reading(
    "gauge",
    "sallyport_identity_silent_seconds",
    "How long an identity provider's events or directory could not be read; 0 after a look that succeeded.",
    ["source"],
    () => looks.map((look) => [look.silentMs / 1_000, look.name]),
  );
  for (const look of looks) look.begin();
  return {
    signals: new Signals(sources),
    async lookNow() {
      for (const look of looks) await look.now();
    },
    close() {
      for (const look of looks) look.close();
    },
  };
}

function keysAt(url: string, { clock }: Core): IssuerKeys {
  const read = async (): Promise<string> => {
    const answer = await sendBounded({ method: "GET", url });
    if (answer.status !== 200) throw new Error(`the issuer answered ${answer.status}`);
    return answer.text;
  };
  return new IssuerKeys({ clock, read });
}

function looksOf(provider: ProviderSettings, receiver: EventReceiver, core: Core, log: Log): Look[] {
  const { name, poll, directory } = provider;
  const looks: Look[] = [];
  if (poll) {
    const bearer = readSecret(poll.secret, `the poll secret of ${name}`);
    const events = new EventPoll({ url: poll.url, bearer, send: sendBounded, receiver });
    looks.push(new Look(`${name} events`, poll.everyMs, () => events.look(), core.clock, log));
  }
  if (directory) {
    const bearer = readSecret(directory.secret, `the directory secret of ${name}`);
    const { clock, reconciler, snapshot } = core;
    const people = new DirectoryPoll({
      clock,
      provider,
      subject: directory.subject,
      directory: new DirectoryReader({ url: directory.url, bearer, send: sendBounded }),
      people: () => snapshot().principals.values(),
      reconciler,
    });
    looks.push(new Look(`${name} directory`, directory.everyMs, () => people.look(), core.clock, log));
  }
  return looks;
}

/** One look that is taken again and again, never twice at the same time. */
class Look {
  readonly name: string;
  readonly #everyMs: number;
  readonly #take: () => Promise<void>;
  readonly #clock: Core["clock"];
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | null = null;
  #failures = 0;
  #failingSinceMs: number | null = null;
  #isClosed = false;

  constructor(name: string, everyMs: number, take: () => Promise<void>, clock: Core["clock"], log: Log) {
    this.name = name;
    this.#everyMs = everyMs;
    this.#take = take;
    this.#clock = clock;
    this.#log = log;
  }

  get silentMs(): number {
    return this.#failingSinceMs === null ? 0 : this.#clock.monotonic() - this.#failingSinceMs;
  }

  /** Soon: users may have left while this gateway was down. */
  begin(): void {
    this.#timer = setTimeout(() => void this.now(), Math.min(FIRST_MS, this.#everyMs)).unref();
  }

  /** The one under way, or one that begins now. */
  now(): Promise<void> {
    this.#running ??= this.#once().finally(() => {
      this.#running = null;
      this.#plan();
    });
    return this.#running;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #plan(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const waitMs = Math.min(this.#everyMs * 2 ** Math.min(this.#failures, 10), Math.max(LATEST_MS, this.#everyMs));
    this.#timer = setTimeout(() => void this.now(), waitMs).unref();
  }

  async #once(): Promise<void> {
    try {
      await this.#take();
      if (this.#failures > 0) this.#log.info({ source: this.name }, "the identity provider is heard again");
      this.#failures = 0;
      this.#failingSinceMs = null;
    } catch (cause) {
      this.#failures++;
      this.#failingSinceMs ??= this.#clock.monotonic();
      const what = { source: this.name, cause: causeOf(cause).message, failures: this.#failures };
      if (this.silentMs >= SILENT_MS)
        this.#log.error(what, "the identity provider has been silent for a while: users who left it are not noticed");
      else this.#log.warn(what, "the identity provider could not be heard; nothing was changed");
    }
  }
}
