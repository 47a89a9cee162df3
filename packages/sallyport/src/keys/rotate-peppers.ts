/** New peppers: those made before go when no key that could still be used needs them. */
import { Problem } from "@sallyport/protocol";
import type { KeyRecord } from "./key.ts";

export interface RotatedPepper {
  readonly environment: string;
  readonly version: number;
  /** Versions that no key needed any more. */
  readonly dropped: readonly number[];
}

/** The peppers as they are kept, by environment and version. */
export interface KeptPeppers {
  readonly environments: readonly string[];
  /** Oldest first. */
  versions(environment: string): readonly number[];
  rotate(environment: string): void;
  drop(environment: string, version: number): void;
}

export interface PepperRotation {
  readonly peppers: KeptPeppers;
  /** The environment's keys after that one, at most `limit`. */
  readonly keys: (environment: string, after: string | undefined, limit: number) => readonly KeyRecord[];
  /** Whether each of the environment's keys could be read so far. */
  readonly isWhole: (environment: string) => boolean;
  readonly now: () => number;
  readonly record: (environment: string, fields: { version: number; dropped: readonly string[] }) => Promise<void>;
}

/** Gives one environment, or each, a new pepper, and deletes the peppers that no usable key needs. */
export async function rotateKeptPeppers(
  rotation: PepperRotation,
  environment: string | null,
): Promise<readonly RotatedPepper[]> {
  const { peppers, record } = rotation;
  if (environment !== null && !peppers.environments.includes(environment))
    throw new Problem("not_found", `the environment ${JSON.stringify(environment)} has no pepper`);
  const done: RotatedPepper[] = [];
  for (const name of environment === null ? peppers.environments : [environment]) {
    const needed = neededPeppers(rotation, name);
    const present = peppers.versions(name).at(-1) ?? 0;
    const version = present + 1;
    const dropped = peppers.versions(name).filter((one) => one !== present && !needed.has(one));
    // On record before it is done: a new pepper without its record must not be.
    await record(name, { version, dropped: dropped.map(String) });
    peppers.rotate(name);
    for (const old of dropped) peppers.drop(name, old);
    done.push({ environment: name, version, dropped });
  }
  return done;
}

const PAGE = 1_000;

/**
 * Versions that keys need that are neither revoked nor expired, with their URL tokens and HMAC signers; all versions if
 * a key cannot be read.
 */
function neededPeppers({ keys, peppers, isWhole, now }: PepperRotation, environment: string): ReadonlySet<number> {
  const needed = new Set<number>();
  for (let after: string | undefined; ;) {
    const page = keys(environment, after, PAGE);
    for (const key of page) for (const version of pepperVersionsOf(key, now())) needed.add(version);
    const last = page.at(-1);
    if (!last || page.length < PAGE) return isWhole(environment) ? needed : new Set(peppers.versions(environment));
    after = `${last.environment}/${last.id}`;
  }
}

function pepperVersionsOf(key: KeyRecord, now: number): readonly number[] {
  if (key.state === "revoked") return [];
  const isUsable = ({ state, expiresAt }: KeyRecord["secrets"][number]): boolean =>
    state !== "destroyed" && (expiresAt === null || expiresAt > now);
  return [
    ...key.secrets.filter(isUsable).map(({ pepperVersion }) => pepperVersion),
    ...(key.pathSecret ? [key.pathSecret.pepperVersion] : []),
    ...key.signers.filter(({ algorithm }) => algorithm === "hmac-sha256").map(({ material }) => Number(material)),
  ];
}
