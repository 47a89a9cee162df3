/**
 * The session at the console. A link carries its secret in the fragment, which reaches no server; it is taken out of the
 * address at once and exchanged for a cookie that no script reads and a token that only this origin has.
 */
import type { RouteName } from "@sallyport/contract";
import routes from "virtual:routes";
import { ask } from "./calls.ts";
import { keepSessionToken } from "./session-token.ts";

export interface SessionView {
  readonly id: string;
  readonly actor: string;
  readonly address: string | null;
  readonly openedAt: string;
  readonly usedAt: string;
  readonly idleAt: string;
  readonly endsAt: string;
}

export interface Presence {
  readonly session: SessionView;
  readonly permissions: readonly string[];
  readonly environments: readonly string[] | "*";
  readonly sessions: readonly SessionView[];
}

/** The link's secret in the text of a link; null without one. */
export function linkIn(text: string): string | null {
  return /#link=([0-9A-Za-z]{1,100})\s*$/.exec(text)?.[1] ?? null;
}

/** Takes the link's secret out of the address; null without one. */
export function takeLink(): string | null {
  const link = location.hash.startsWith("#link=") ? linkIn(location.hash) : null;
  if (link !== null) history.replaceState(null, "", location.pathname);
  return link;
}

/** What is not permitted is not offered; the gateway denies it all the same. */
export function may({ permissions }: Presence, route: RouteName): boolean {
  return permissions.includes(routes[route]![2]);
}

export async function enter(link: string): Promise<void> {
  const { token } = (await ask("POST", "/console/session", { link })) as { token: string };
  keepSessionToken(token);
}

export async function presence(): Promise<Presence> {
  return (await ask("GET", "/console/session")) as Presence;
}

export async function leave(): Promise<void> {
  await ask("DELETE", "/console/session");
  keepSessionToken(null);
}

export async function endOther(id: string): Promise<void> {
  await ask("DELETE", `/console/sessions/${encodeURIComponent(id)}`);
}
