/**
 * Peppers as encrypted files, one per environment, outside the database (R7): a copy of the database alone proves
 * nothing about a key. A list says which environments have one, so that a lost file is an error and never a new pepper.
 */
import { hkdfSync, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { isEnvironmentName, Problem } from "@sallyport/protocol";
import type { Pepper, PepperRing } from "../../keys/pepper.ts";
import type { Sealer } from "../../keys/sealer.ts";
import { dataPaths } from "../disk/data-paths.ts";
import type { DataPaths } from "../disk/data-paths.ts";
import { writeDurably } from "../disk/durable-file.ts";
import { json, listOf, object, text, wholeNumber } from "../disk/json-shape.ts";
import { openSealer } from "./open-sealer.ts";
import { pepperFile, readSecretFile, writeSecretFile } from "./sealed-files.ts";

const PEPPER_BYTES = 32;
const pepperSeries = json(object({ versions: listOf(object({ version: wholeNumber, bytes: text })) }));
const pepperList = json(object({ environments: listOf(text) }));

/** The list's content. */
export function formatPepperList(environments: readonly string[]): string {
  return `${JSON.stringify({ environments })}\n`;
}

/** 32 bytes. */
export type FirstPepper = (environment: string) => Buffer;

/**
 * The first pepper of an environment on every machine of a deployment: each has the signing key, and none could send it to
 * the others.
 */
export function sharedPeppers(signingKey: KeyObject, deployment: string): FirstPepper {
  const secret = signingKey.export({ type: "pkcs8", format: "der" });
  return (environment) =>
    Buffer.from(hkdfSync("sha256", secret, deployment, `sallyport pepper 1\n${environment}`, PEPPER_BYTES));
}

export class PepperFiles implements PepperRing {
  readonly #paths: DataPaths;
  readonly #sealer: Sealer;
  readonly #known: Set<string>;
  readonly #read = new Map<string, readonly Pepper[]>();

  readonly #firstBytes: FirstPepper;

  /**
   * Reads every pepper there is; throws `store_unavailable` for a missing or damaged file. `firstBytes` gives the bytes of
   * an environment's first pepper: random unless several machines must make the same.
   */
  constructor(
    directory: string,
    sealer: Sealer = openSealer(directory),
    firstBytes: FirstPepper = () => randomBytes(PEPPER_BYTES),
  ) {
    this.#firstBytes = firstBytes;
    this.#paths = dataPaths(directory);
    this.#sealer = sealer;
    const path = this.#paths.pepperList;
    this.#known = new Set(readStrictly(path, () => pepperList(readFileSync(path, "utf8"), "list").environments));
    for (const environment of this.#known) this.#versions(environment);
  }

  /** Those that have a pepper. */
  get environments(): readonly string[] {
    return [...this.#known].toSorted();
  }

  /** Versions of an environment's peppers, ascending. */
  versions(environment: string): readonly number[] {
    return (this.#versions(environment) ?? []).map(({ version }) => version);
  }

  current(environment: string): Pepper | undefined {
    return this.#versions(environment)?.at(-1);
  }

  get(environment: string, version: number): Pepper | undefined {
    return this.#versions(environment)?.find((pepper) => pepper.version === version);
  }

  create(environment: string): Pepper {
    if (!isEnvironmentName(environment))
      throw new Problem("input_invalid", `${JSON.stringify(environment)} is no name of an environment`);
    const present = this.current(environment);
    if (present) return present;
    const pepper: Pepper = { version: 1, bytes: this.#firstBytes(environment) };
    this.#write(environment, [pepper]);
    this.#remember(environment);
    return pepper;
  }

  /** Makes the next version, which is the current one from now on. Older ones still verify the keys hashed under them. */
  rotate(environment: string): Pepper {
    const held = this.#demand(environment);
    const pepper: Pepper = { version: (held.at(-1)?.version ?? 0) + 1, bytes: randomBytes(PEPPER_BYTES) };
    this.#write(environment, [...held, pepper]);
    return pepper;
  }

  /**
   * Destroys a version: keys hashed under it are unknown from now on, so the caller must know that no usable key needs
   * it. Throws `conflict` for the current version, `not_found` for an unknown one.
   */
  drop(environment: string, version: number): void {
    const held = this.#demand(environment);
    if (held.at(-1)?.version === version)
      throw new Problem("conflict", `version ${version} is the current pepper of ${environment}`);
    const kept = held.filter((pepper) => pepper.version !== version);
    if (kept.length === held.length) throw new Problem("not_found", `${environment} has no pepper version ${version}`);
    this.#write(environment, kept);
  }

  #demand(environment: string): readonly Pepper[] {
    const held = this.#versions(environment);
    if (!held) throw new Problem("not_found", `the environment ${JSON.stringify(environment)} has no pepper`);
    return held;
  }

  #write(environment: string, peppers: readonly Pepper[]): void {
    const versions = peppers.map(({ version, bytes }) => ({ version, bytes: bytes.toString("base64") }));
    const file = pepperFile(this.#paths, environment);
    writeSecretFile(this.#sealer, file, Buffer.from(`${JSON.stringify({ versions })}\n`));
    this.#read.set(environment, peppers);
  }

  /** Ascending; undefined where none was made. */
  #versions(environment: string): readonly Pepper[] | undefined {
    const held = this.#read.get(environment);
    if (held) return held;
    if (!isEnvironmentName(environment)) return undefined;
    const file = pepperFile(this.#paths, environment);
    // A file without its line in the list: killed in between. The file is whole, so the line is put right.
    if (!this.#known.has(environment)) {
      if (!existsSync(file.path)) return undefined;
      this.#remember(environment);
    }
    const plaintext = readSecretFile(this.#sealer, file);
    const peppers = readStrictly(file.path, () => parsePeppers(plaintext.toString("utf8")));
    this.#read.set(environment, peppers);
    return peppers;
  }

  #remember(environment: string): void {
    this.#known.add(environment);
    writeDurably(this.#paths.pepperList, formatPepperList([...this.#known].toSorted()));
  }
}

function parsePeppers(content: string): readonly Pepper[] {
  const peppers = pepperSeries(content, "peppers").versions.map(({ version, bytes }) => ({
    version,
    bytes: Buffer.from(bytes, "base64"),
  }));
  const isWhole = peppers.every(
    ({ bytes }, i) => bytes.length === PEPPER_BYTES && (peppers[i - 1]?.version ?? 0) < (peppers[i]?.version ?? 0),
  );
  if (peppers.length === 0 || !isWhole) throw new Error("no series of peppers");
  return peppers;
}

function readStrictly<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch {
    // Without the cause: a parser's message may quote the secret it could not read.
    throw new Problem("store_unavailable", `${path} is missing or damaged: put it back from a backup`);
  }
}
