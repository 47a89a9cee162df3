/**
 * What was used of each budget in its present window, and what running requests have reserved of it. A request reserves
 * before it begins, all of its budgets or none; it settles once, whatever becomes of it. Used and reserved together never
 * pass a budget, so that requests that run at the same time cannot pass it together.
 *
 * A window that has begun holds although the clock goes back: nothing is given twice.
 */
import { windowAt } from "./calendar.ts";
import { Lease } from "./lease.ts";
import type { LeaseBook } from "./lease.ts";
import type { Amounts, QuotaBound, QuotaName } from "./quota.ts";

/** Why nothing could be reserved. */
export interface QuotaShortage {
  readonly bound: QuotaBound;
  /** Until the window is over. */
  readonly retryAfterMs: number;
}

/** One budget of an account in its present window, as it is kept over a restart. */
export interface QuotaUse {
  readonly environment: string;
  readonly account: string;
  readonly budget: QuotaName;
  readonly windowMs: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly used: number;
}

/** What a request that runs would be charged if the gateway ended now. */
export interface OpenUse {
  /** The request's id. */
  readonly request: string;
  readonly uses: readonly QuotaUse[];
}

export interface QuotaFill {
  readonly environment: string;
  readonly account: string;
  readonly budget: QuotaName;
  readonly used: number;
  readonly amount: number;
  /** Epoch ms. */
  readonly endsAt: number;
}

interface QuotaAccount {
  readonly environment: string;
  readonly account: string;
  readonly budget: QuotaName;
  readonly windowMs: number;
  /** As it was written when it was used last. */
  amount: number;
  startMs: number;
  endMs: number;
  used: number;
  reserved: number;
  /** It was reported that the budget is used up in this window. */
  isReported: boolean;
}

export interface QuotaPorts {
  /** Epoch ms. */
  readonly now: () => number;
  /** A budget is used up: told once in each window. */
  readonly onUsedUp: (bound: QuotaBound) => void;
  /** A request has settled: what it used is in the book. */
  readonly onSettled?: (request: string) => void;
}

const SWEEP_ABOVE = 10_000;

export class QuotaBook implements LeaseBook {
  readonly #ports: QuotaPorts;
  readonly #accounts = new Map<string, QuotaAccount>();
  readonly #leases = new Set<Lease>();
  #sweepAbove = SWEEP_ABOVE;

  constructor(ports: QuotaPorts) {
    this.#ports = ports;
  }

  /** Leases that were not settled yet. */
  get open(): number {
    return this.#leases.size;
  }

  /** What is left of the tightest hard budget of that name; Infinity without one. */
  room(bounds: readonly QuotaBound[], name: QuotaName): number {
    let room = Infinity;
    for (const bound of bounds)
      if (bound.name === name && !bound.isSoft) room = Math.min(room, roomOf(bound, this.#accountOf(bound)));
    return Math.max(0, room);
  }

  /** All budgets or none. An amount of 0 needs a budget that is not used up. `owner` is the request's id. */
  reserve(owner: string, bounds: readonly QuotaBound[], wanted: Amounts): Lease | QuotaShortage {
    for (const bound of bounds) {
      const want = wanted[bound.name];
      if (want === undefined || bound.isSoft) continue;
      const account = this.#accountOf(bound);
      const room = roomOf(bound, account);
      if (room >= want && (room > 0 || want > 0)) continue;
      this.#report(bound, account);
      return { bound, retryAfterMs: Math.max(0, account.endMs - this.#ports.now()) };
    }
    const lease = new Lease(this, owner, bounds, wanted);
    this.#leases.add(lease);
    return lease;
  }

  /** More is used and reserved than the budget has: it was narrowed. */
  isOver(bound: QuotaBound): boolean {
    return !bound.isSoft && roomOf(bound, this.#accountOf(bound)) < 0;
  }

  /** There is so much left of a budget, or it only notifies. */
  hasRoom(bound: QuotaBound, amount: number): boolean {
    const account = this.#accountOf(bound);
    if (bound.isSoft || roomOf(bound, account) >= amount) return true;
    this.#report(bound, account);
    return false;
  }

  /** Reserves one more part of a budget, for a lease that has looked whether there is room. */
  hold(bound: QuotaBound, amount: number): void {
    this.#accountOf(bound).reserved += amount;
  }

  /** Of a lease: what it held is free again, and what it used is used. */
  book(bound: QuotaBound, held: number, used: number): void {
    const account = this.#accountOf(bound);
    account.reserved -= held;
    account.used += used;
    if (account.used >= bound.amount) this.#report(bound, account);
  }

  /** Something that was used at that time, before a restart. What was in a window that is over is nothing now. */
  bookAt(bound: QuotaBound, used: number, atMs: number): void {
    const account = this.#accountOf(bound);
    if (atMs >= account.startMs && atMs < account.endMs) account.used += used;
  }

  close(lease: Lease): void {
    this.#leases.delete(lease);
    this.#ports.onSettled?.(lease.owner);
  }

  /**
   * Settles leases that were abandoned: not touched for so long. Its request should have settled it, so
   * this is for faults of ours; what it held counts as used.
   */
  sweep(nowMs: number, silentMs: number): number {
    let swept = 0;
    for (const lease of this.#leases) {
      if (nowMs - lease.touchedMs < silentMs) continue;
      lease.settleAsHeld();
      swept++;
    }
    return swept;
  }

  /** Accounts with something used in windows that are not over. */
  uses(): QuotaUse[] {
    const now = this.#ports.now();
    const uses: QuotaUse[] = [];
    for (const account of this.#accounts.values())
      if (account.used > 0 && account.endMs > now) uses.push(useOf(account, account.used));
    return uses;
  }

  /** What runs, with what it holds. */
  openUses(): OpenUse[] {
    return [...this.#leases].map(({ owner, parts }) => ({
      request: owner,
      uses: parts.filter(({ held }) => held > 0).map(({ bound, held }) => useOf(this.#accountOf(bound), held)),
    }));
  }

  /** Accounts as people look at them, with what running requests hold counted as used. */
  fill(): QuotaFill[] {
    const now = this.#ports.now();
    const rows: QuotaFill[] = [];
    for (const { environment, account, budget, amount, used, reserved, endMs } of this.#accounts.values())
      if (endMs > now && used + reserved > 0 && Number.isFinite(amount))
        rows.push({ environment, account, budget, used: Math.round(used + reserved), amount, endsAt: endMs });
    return rows;
  }

  /** After a start: what was used before it, added to what is known of the same window. */
  restore(uses: readonly QuotaUse[]): void {
    for (const { used, ...of } of uses) {
      const id = idOf(of.account, of.budget, of.windowMs);
      const known = this.#accounts.get(id);
      if (known === undefined)
        this.#accounts.set(id, { ...of, amount: Infinity, used, reserved: 0, isReported: false });
      else if (known.startMs === of.startMs) known.used += used;
    }
  }

  #accountOf({ environment, account: name, name: budget, amount, windowMs, zone }: QuotaBound): QuotaAccount {
    const id = idOf(name, budget, windowMs);
    const now = this.#ports.now();
    let account = this.#accounts.get(id);
    if (account === undefined) {
      if (this.#accounts.size >= this.#sweepAbove) this.#forgetPast(now);
      account = {
        ...windowAt(now, windowMs, zone),
        environment,
        account: name,
        budget,
        windowMs,
        amount,
        used: 0,
        reserved: 0,
        isReported: false,
      };
      this.#accounts.set(id, account);
    } else if (now >= account.endMs) {
      const { startMs, endMs } = windowAt(now, windowMs, zone);
      account.startMs = startMs;
      account.endMs = endMs;
      account.used = 0;
      account.isReported = false;
    }
    account.amount = amount;
    return account;
  }

  #report(bound: QuotaBound, account: QuotaAccount): void {
    if (account.isReported) return;
    account.isReported = true;
    this.#ports.onUsedUp(bound);
  }

  #forgetPast(now: number): void {
    for (const [id, { endMs, reserved }] of this.#accounts)
      if (endMs <= now && reserved === 0) this.#accounts.delete(id);
    this.#sweepAbove = Math.max(SWEEP_ABOVE, 2 * this.#accounts.size);
  }
}

function idOf(account: string, budget: QuotaName, windowMs: number): string {
  return `${account} ${budget}/${windowMs}`;
}

function useOf({ environment, account, budget, windowMs, startMs, endMs }: QuotaAccount, used: number): QuotaUse {
  return { environment, account, budget, windowMs, startMs, endMs, used };
}

function roomOf({ amount }: QuotaBound, { used, reserved }: QuotaAccount): number {
  return amount - used - reserved;
}
