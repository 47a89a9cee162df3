/**
 * What a gateway knows of the keys that were found. It is asked by key id; the secret is never sent. Where no gateway can
 * be reached, or it does not know the key, the key is "unknown here".
 */
import type { Leak } from "../../leaks/scan-content.ts";
import { runningGateway } from "../terminal/running-gateway.ts";

export interface KeyStanding {
  readonly name: string;
  readonly owner: string;
  readonly state: string;
  readonly isLive: boolean;
}

interface GatewayChoice {
  readonly offline?: boolean;
  readonly url?: string;
  readonly data?: string;
}

/** By `environment keyId`. */
export type Standings = ReadonlyMap<string, KeyStanding>;

/** Each costs a call. */
const KEYS_MAX = 200;

export function standingName({ environment, keyId }: Pick<Leak, "environment" | "keyId">): string {
  return `${environment} ${keyId}`;
}

export async function standingOf(
  leaks: readonly Leak[],
  { offline, url, data }: GatewayChoice,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Standings> {
  const standings = new Map<string, KeyStanding>();
  const keys = new Map(
    leaks.filter(({ kind }) => kind === "api" || kind === "path").map((leak) => [standingName(leak), leak]),
  );
  if (offline || keys.size === 0) return standings;
  const gateway = runningGateway(url === undefined ? env : { ...env, SALLYPORT_ADMIN_URL: url }, data);
  let failures = 0;
  for (const [name, { keyId, environment }] of [...keys].slice(0, KEYS_MAX))
    try {
      const standing = readStanding(await gateway.read(`/v1/keys/${keyId}`), environment);
      if (standing) standings.set(name, standing);
    } catch {
      // A key that this gateway does not know, or no gateway; the second is not tried for each key.
      if (++failures >= 3 && standings.size === 0) return standings;
    }
  return standings;
}

function readStanding(value: unknown, environment: string): KeyStanding | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const row = value as Readonly<Record<string, unknown>>;
  if (row["environment"] !== environment) return undefined;
  const [name, owner, state] = ["name", "owner", "state"].map((member) => textIn(row, member));
  const isExpired = row["isExpired"] === true;
  return {
    name: name ?? "?",
    owner: owner ?? "?",
    state: isExpired ? "expired" : (state ?? "?"),
    isLive: state === "active" && !isExpired,
  };
}

function textIn(row: Readonly<Record<string, unknown>>, member: string): string | undefined {
  const value = row[member];
  return typeof value === "string" ? value : undefined;
}
