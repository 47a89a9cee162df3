/** Where what providers send comes in: each event stream by the bearer we gave its sender, each log-out token by its issuer. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Secret } from "../kernel/secret.ts";
import type { AmbiguousSubject } from "./ambiguous-subject.ts";
import type { EventReceiver } from "./event-receiver.ts";
import type { LogOut } from "./log-out.ts";
import { failed } from "./failed-claims.ts";
import type { FailedClaims } from "./failed-claims.ts";

export interface SignalSource {
  readonly issuer: string;
  /** What its pushes bring (RFC 8935, 3); null = it pushes none. */
  readonly bearer: Secret | null;
  readonly events: EventReceiver;
  readonly logOut: LogOut;
}

export class Signals {
  readonly #sources: readonly (SignalSource & { readonly digest: Buffer | null })[];

  constructor(sources: readonly SignalSource[]) {
    this.#sources = sources.map((source) => ({ ...source, digest: source.bearer && digestOf(source.bearer.reveal()) }));
  }

  /** Undefined: no transmitter has that bearer token. */
  streamOf(bearer: string): EventReceiver | undefined {
    const asked = digestOf(bearer);
    // Every one is compared: how long it takes says nothing of which one it was.
    const found = this.#sources.filter(({ digest }) => digest !== null && timingSafeEqual(digest, asked));
    return found[0]?.events;
  }

  /** Undefined: done. */
  logOut(text: string): Promise<AmbiguousSubject | FailedClaims | undefined> {
    const issuer = issuerOf(text);
    const source = this.#sources.find((one) => one.issuer === issuer);
    return source ? source.logOut.receive(text) : Promise.resolve(failed("invalid_issuer", "unknown issuer"));
  }
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** As the token says, to choose whose keys it is tried with; nothing else is believed of it yet. */
function issuerOf(text: string): unknown {
  try {
    return (JSON.parse(Buffer.from(text.split(".")[1] ?? "", "base64url").toString("utf8")) as { iss?: unknown }).iss;
  } catch {
    return undefined;
  }
}
