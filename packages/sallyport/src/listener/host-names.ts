/**
 * The host names a listener answers for (against DNS rebinding): loopback names, IP literals, and what the settings
 * list. An IP literal cannot be rebound, so it is always answered; a name must be known.
 */
import { isIP } from "node:net";

/** A name of DNS has at most 253 characters; a port and brackets come to it. */
const HOST_LENGTH_MAX = 262;

export class HostNames {
  readonly #names: ReadonlySet<string>;
  readonly #known = new Map<string, boolean>();

  constructor(names: readonly string[]) {
    this.#names = new Set(["localhost", ...names.map((name) => name.toLowerCase())]);
  }

  /** `host` is a Host header: a name or IP literal with an optional port. */
  has(host: string): boolean {
    if (host.length > HOST_LENGTH_MAX) return false;
    const held = this.#known.get(host);
    if (held !== undefined) return held;
    const isKnown = this.#judge(host);
    if (this.#known.size < 256) this.#known.set(host, isKnown);
    return isKnown;
  }

  #judge(host: string): boolean {
    const parts = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?$/.exec(host);
    if (!parts) return false;
    const name = parts[1]!.toLowerCase().replace(/^\[|\]$/g, "");
    return isIP(name) !== 0 || this.#names.has(name) || name.endsWith(".localhost");
  }
}
