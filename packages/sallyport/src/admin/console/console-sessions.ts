/**
 * Sessions of people at the console. A session begins with a link that works once, has the rights that the link's maker
 * has at the time of each use, and is proved by two secrets: a cookie that no script reads, and a token that only pages
 * of the console's origin have. A cookie alone is worth nothing, because browsers send it to every port of a host.
 * Sessions are kept in memory: a restart ends them.
 */
import { createHash } from "node:crypto";
import { randomBase62 } from "../../kernel/ids.ts";
import { networkPrefix } from "../../kernel/network-prefix.ts";
import type { Clock } from "../../kernel/clock.ts";

/** Whose right a session has: the operating-system user's, or an admin key's. */
export type SessionHolder =
  | { readonly kind: "socket"; readonly actor: string }
  | { readonly kind: "key"; readonly actor: string; readonly environment: string; readonly id: string };

export interface ConsoleSession {
  /** For people and records; opens nothing. */
  readonly id: string;
  readonly holder: SessionHolder;
  /** Epoch ms. */
  readonly openedAt: number;
  readonly endsAt: number;
  usedAt: number;
  /** Where it was opened, and the only network it can be used from. */
  readonly address: string | null;
  readonly network: string;
}

/** What a new session's browser gets: each only once. */
export interface BegunSession {
  readonly session: ConsoleSession;
  readonly cookie: string;
  readonly token: string;
}

const LINK_MS = 5 * 60_000;
export const IDLE_MS = 30 * 60_000;
const SESSION_MS = 12 * 60 * 60_000;
const SECRET_LENGTH = 43;
const LINKS_MAX = 64;
const SESSIONS_MAX = 256;
/** Of one holder, whose oldest makes room: forgotten tabs lock out no one, and no one takes the places of others. */
const OF_HOLDER_MAX = 8;

export class ConsoleSessions {
  readonly #clock: Pick<Clock, "now">;
  /** By the hash of the link's secret, the oldest first. */
  readonly #links = new Map<string, { readonly holder: SessionHolder; readonly expiresAt: number }>();
  /** By the hash of cookie and token. */
  readonly #sessions = new Map<string, ConsoleSession>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  makeLink(holder: SessionHolder): { readonly secret: string; readonly expiresAt: number } {
    const secret = randomBase62(SECRET_LENGTH);
    const expiresAt = this.#clock.now() + LINK_MS;
    makeRoom(this.#links, holder, LINKS_MAX);
    this.#links.set(hashOf(secret), { holder, expiresAt });
    return { secret, expiresAt };
  }

  /** Undefined for a link that is not known, was used or has expired. */
  open(linkSecret: string, address: string | null): BegunSession | undefined {
    const now = this.#clock.now();
    const name = hashOf(linkSecret);
    const link = this.#links.get(name);
    this.#links.delete(name);
    if (link === undefined || now >= link.expiresAt) return undefined;
    this.#dropEnded(now);
    makeRoom(this.#sessions, link.holder, SESSIONS_MAX);
    const [cookie, token] = [randomBase62(SECRET_LENGTH), randomBase62(SECRET_LENGTH)];
    const session: ConsoleSession = {
      id: randomBase62(12),
      holder: link.holder,
      openedAt: now,
      endsAt: now + SESSION_MS,
      usedAt: now,
      address,
      network: networkOf(address),
    };
    this.#sessions.set(pairName(cookie, token), session);
    return { session, cookie, token };
  }

  /**
   * The session, used now; undefined where it has ended or never was. From another network it ends. With `isUse` false its
   * idle time goes on.
   */
  use(cookie: string, token: string, address: string | null, isUse = true): ConsoleSession | undefined {
    const now = this.#clock.now();
    const session = this.#sessions.get(pairName(cookie, token));
    if (session === undefined) return undefined;
    if (isOver(session, now) || session.network !== networkOf(address)) {
      this.end(session);
      return undefined;
    }
    if (isUse) session.usedAt = Math.max(session.usedAt, now);
    return session;
  }

  /** Those of one actor that have not ended, the oldest first. */
  of(actor: string): ConsoleSession[] {
    this.#dropEnded(this.#clock.now());
    return [...this.#sessions.values()].filter(({ holder }) => holder.actor === actor);
  }

  end(session: ConsoleSession): void {
    for (const [name, one] of this.#sessions) if (one === session) this.#sessions.delete(name);
  }

  #dropEnded(now: number): void {
    for (const [name, session] of this.#sessions) if (isOver(session, now)) this.#sessions.delete(name);
  }
}

function isOver({ endsAt, usedAt }: ConsoleSession, now: number): boolean {
  return now >= endsAt || now - usedAt >= IDLE_MS;
}

function networkOf(address: string | null): string {
  return address === null ? "unknown" : networkPrefix(address);
}

/** Both are needed to find the session. */
function pairName(cookie: string, token: string): string {
  return hashOf(`${cookie} ${token}`);
}

/** Nothing that opens a session is kept as it is. */
function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** Drops the newcomer's own oldest or, where all places are taken, the oldest of the holder with most. */
function makeRoom(
  places: Map<string, { readonly holder: SessionHolder }>,
  newcomer: SessionHolder,
  most: number,
): void {
  const byActor = new Map<string, string[]>();
  for (const [name, { holder }] of places) byActor.set(holder.actor, [...(byActor.get(holder.actor) ?? []), name]);
  const own = byActor.get(newcomer.actor) ?? [];
  if (own.length >= OF_HOLDER_MAX) places.delete(own[0]!);
  else if (places.size >= most) {
    const [largest] = [...byActor.values()].toSorted((a, b) => b.length - a.length);
    places.delete(largest![0]!);
  }
}
