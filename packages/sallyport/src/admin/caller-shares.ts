/**
 * The share of each caller of the admin API: a rate, and concurrent calls. Taking rights away has a separate rate and
 * needs nothing else, so that no flood, not even the caller's, delays a revocation.
 */
import { Problem } from "@sallyport/protocol";
import type { RouteName } from "@sallyport/contract";
import type { Clock } from "../kernel/clock.ts";
import { ADMIN_CALLS } from "../kernel/shared-resources.ts";
import { Shares } from "../kernel/shares.ts";
import { gcra } from "../limits/gcra.ts";
import { isUnbounded } from "../access/holding.ts";
import type { Issuer } from "../access/issuer.ts";
import type { Caller } from "./caller.ts";

/** Routes that only take away, of the contract. */
const NARROWING: ReadonlySet<string> = new Set<RouteName>([
  "keys.revoke", "keys.suspend", "requests.end", "adminKeys.revoke", "principals.disable", "principals.uninvite", "assignments.remove",
  "keys.removeSigner", "keys.removeWorkload", "keys.removePathSecret", "incidents.open",
  "leaks.report",
]); // prettier-ignore

/** Routes that read or judge much at once. */
const COSTLY: ReadonlySet<string> = new Set<RouteName>([
  "audit.search", "audit.verify", "audit.proof", "incidents.radius", "incidents.report", "policy.plan", "keys.sweep",
]); // prettier-ignore

type Kind = "calls" | "costly" | "narrowing" | "scim";

interface Rate {
  readonly count: number;
  readonly windowMs: number;
}

const RATES: Readonly<Record<Kind, Rate>> = {
  calls: { count: 1_000, windowMs: 5_000 },
  costly: { count: 200, windowMs: 10_000 },
  narrowing: { count: 1_000, windowMs: 5_000 },
  /** Provisioning clients send some 25 requests a second. */
  scim: { count: 250, windowMs: 5_000 },
};
/** Rates held in memory at the same time. Only callers who proved who they are have one. */
const SWEEP_ABOVE = 4_096;

export class CallerShares {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #arrivals = new Map<string, number>();
  readonly #running = new Shares(ADMIN_CALLS);

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Throws `rate_limited` or `concurrency_exceeded`. Call what it returns when the call is over, once. */
  enter(route: string, { kind, issuer }: Caller): () => void {
    const caller = issuer.actor;
    const rate = kindOf(route);
    // A full administrator could take all of it in other ways, and must never be slowed down in an incident.
    if (kind === "socket" || (rate !== "scim" && isFullAdministrator(issuer))) return nothing;
    this.#demandRate(rate, caller);
    if (rate === "narrowing") return nothing;
    const full = this.#running.take({ caller });
    if (full !== undefined) throw new Problem("concurrency_exceeded", "too many calls run at the same time");
    return () => this.#running.give({ caller });
  }

  #demandRate(kind: Kind, caller: string): void {
    const { count, windowMs } = RATES[kind];
    const name = `${kind} ${caller}`;
    const nowMs = this.#clock.monotonic();
    const verdict = gcra(this.#arrivals.get(name) ?? 0, nowMs, count, windowMs);
    if (!verdict.isAllowed) throw new Problem("rate_limited");
    if (this.#arrivals.size >= SWEEP_ABOVE)
      for (const [old, arrivalMs] of this.#arrivals) if (arrivalMs <= nowMs) this.#arrivals.delete(old);
    this.#arrivals.set(name, verdict.arrivalMs);
  }
}

function isFullAdministrator({ right }: Issuer): boolean {
  return isUnbounded(right) && right.permissions.includes("admin:manage");
}

function kindOf(route: string): Kind {
  if (NARROWING.has(route)) return "narrowing";
  if (COSTLY.has(route)) return "costly";
  return route === "scim" ? "scim" : "calls";
}

function nothing(): void {}
