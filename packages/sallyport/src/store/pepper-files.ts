/**
 * Peppers as files, one an environment, outside the database (R7): a copy of the database alone proves nothing about a
 * key. A list beside them says which environments have one, so that a lost file is a problem and never a new pepper.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isEnvironmentName, Problem } from "@sallyport/protocol";
import type { Pepper, PepperRing } from "../keys/pepper.ts";
import { dataPaths } from "./data-paths.ts";
import type { DataPaths } from "./data-paths.ts";
import { writeDurably } from "./durable-file.ts";
import { json, listOf, object, text, wholeNumber } from "./json-shape.ts";

const PEPPER_BYTES = 32;
const pepperFile = json(object({ versions: listOf(object({ version: wholeNumber, bytes: text })) }));
const pepperList = json(object({ environments: listOf(text) }));

/** The list's content. */
export function formatPepperList(environments: readonly string[]): string {
  return `${JSON.stringify({ environments })}\n`;
}

export class PepperFiles implements PepperRing {
  readonly #paths: DataPaths;
  readonly #known: Set<string>;
  readonly #read = new Map<string, readonly Pepper[]>();

  /** Reads every pepper there is; throws `store_unavailable` for a missing or damaged file. */
  constructor(directory: string) {
    this.#paths = dataPaths(directory);
    const path = this.#paths.pepperList;
    this.#known = new Set(readStrictly(path, () => pepperList(readFileSync(path, "utf8"), "list").environments));
    for (const environment of this.#known) this.#versions(environment);
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
    const pepper: Pepper = { version: 1, bytes: randomBytes(PEPPER_BYTES) };
    const content = JSON.stringify({ versions: [{ version: pepper.version, bytes: pepper.bytes.toString("base64") }] });
    writeDurably(this.#fileOf(environment), `${content}\n`);
    this.#remember(environment);
    this.#read.set(environment, [pepper]);
    return pepper;
  }

  /** Ascending; undefined where none was made. */
  #versions(environment: string): readonly Pepper[] | undefined {
    const held = this.#read.get(environment);
    if (held) return held;
    if (!isEnvironmentName(environment)) return undefined;
    const path = this.#fileOf(environment);
    // A file without its line in the list: killed in between. The file is whole, so the line is put right.
    if (!this.#known.has(environment)) {
      if (!existsSync(path)) return undefined;
      this.#remember(environment);
    }
    const peppers = readStrictly(path, () => parsePeppers(readFileSync(path, "utf8")));
    this.#read.set(environment, peppers);
    return peppers;
  }

  #remember(environment: string): void {
    this.#known.add(environment);
    writeDurably(this.#paths.pepperList, formatPepperList([...this.#known].toSorted()));
  }

  #fileOf(environment: string): string {
    return join(this.#paths.peppers, `${environment}.json`);
  }
}

function parsePeppers(content: string): readonly Pepper[] {
  const peppers = pepperFile(content, "peppers").versions.map(({ version, bytes }) => ({
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
