/** Which keys an import creates: those of the file whose names are still free, with models, networks and a lifetime. */
import type { AdminClient } from "@sallyport/client";
import { formatDurationMs, parseDurationMs } from "@sallyport/contract/duration";
import { Problem } from "@sallyport/protocol";
import { allKeys } from "../terminal/every-page.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { timeText } from "../terminal/print.ts";
import type { NotCarried, SourceKey, SourceRead } from "./source-read.ts";

export interface ImportOrder {
  readonly environment: string;
  readonly roles: readonly string[];
  /** For keys whose file names no models. */
  readonly models: readonly string[];
  /** For keys whose file sets no expiry; undefined = the environment's maximum. */
  readonly ttl: string | undefined;
}

export interface PlannedKey {
  readonly line: number;
  readonly name: string;
  readonly roles: readonly string[];
  readonly models: readonly string[];
  readonly networks: readonly string[] | null;
  /** A duration; null = the environment's maximum. */
  readonly ttl: string | null;
}

export interface ImportPlan {
  readonly create: readonly PlannedKey[];
  /** A key of this name exists already. */
  readonly skipped: readonly { readonly line: number; readonly name: string; readonly id: string }[];
  readonly notCarried: readonly NotCarried[];
}

/** Every file has them, and no import can keep them. */
const OLD_KEYS: NotCarried = {
  line: null,
  what: "the old keys",
  reason: "Sallyport generates every key and stores only its hash, so each application needs its new key",
};

/** Throws before anything is created when the environment, a role or the lifetime cannot be used. */
export async function planImport(
  client: AdminClient,
  { keys, notCarried }: SourceRead,
  order: ImportOrder,
  now: number,
): Promise<ImportPlan> {
  const { environment } = order;
  const keysThere = await allKeys(client, { environment });
  const live = keysThere.filter((key) => key.state !== "revoked" && !key.isExpired);
  const idOfName = new Map(live.map((key) => [key.name, key.id]));
  const maxAge = (await client.call("environments.show", { params: { name: environment } })).keyMaxAge;
  const maxMs = parseDurationMs(maxAge) ?? 0;
  for (const name of order.roles) await client.call("roles.show", { params: { name } });
  if (order.ttl !== undefined && parseDurationMs(order.ttl) === undefined)
    throw new UsageMistake(
      `--ttl ${JSON.stringify(order.ttl)} is not a duration`,
      "write a number and a unit: 90d, 12h, 30m",
    );
  if (order.ttl !== undefined && (parseDurationMs(order.ttl) ?? 0) > maxMs)
    throw new Problem("lifetime_exceeds_maximum", `environment ${environment} allows at most ${maxAge}`);

  const create: PlannedKey[] = [];
  const skipped: { line: number; name: string; id: string }[] = [];
  const shortened: NotCarried[] = [];
  for (const key of keys) {
    const { line, name, expiresAtMs } = key;
    const id = idOfName.get(name);
    if (id !== undefined) {
      skipped.push({ line, name, id });
      continue;
    }
    if (expiresAtMs !== null && expiresAtMs - now > maxMs)
      shortened.push({
        line,
        what: `${name}: expiry ${timeText(new Date(Math.min(expiresAtMs, TIME_MAX)).toISOString())}`,
        reason: `environment ${environment} allows at most ${maxAge}`,
      });
    create.push(plannedKey(key, order, now, maxMs));
  }
  return { create, skipped, notCarried: [OLD_KEYS, ...notCarried, ...shortened] };
}

/** The last time that a date can be. */
const TIME_MAX = 8.64e15;

function plannedKey(key: SourceKey, order: ImportOrder, now: number, maxMs: number): PlannedKey {
  const { line, name, models, networks, expiresAtMs } = key;
  return {
    line,
    name,
    roles: order.roles,
    models: models ?? order.models,
    networks,
    ttl: expiresAtMs === null ? (order.ttl ?? null) : ttlUntil(expiresAtMs, now, maxMs),
  };
}

/** Whole seconds; a date beyond the maximum becomes the maximum. */
function ttlUntil(expiresAtMs: number, now: number, maxMs: number): string | null {
  const lifeMs = Math.max(1_000, Math.floor((expiresAtMs - now) / 1_000) * 1_000);
  return lifeMs > maxMs ? null : formatDurationMs(lifeMs);
}
