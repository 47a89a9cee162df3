/**
 * Finds keys by what people know of them, among hundreds of thousands: a piece of a name, an id or an owner's name, a
 * state, a risk; in several orders, page by page. It is built when it is first needed, in slices, and the feed keeps it
 * up from then on. It says which keys they are; what is shown of them is read from the store, where it is verified.
 */
import type { ImageOf, View } from "../../changes/image.ts";
import { LongWork } from "../../kernel/long-work.ts";
import type { KeyDirectory } from "../directory.ts";
import type { KeyRecord } from "../key.ts";
import type { KeyUse } from "../use-record.ts";
import { KeyColumns, START_LENGTH, textStart, STATES } from "./key-columns.ts";
import type { KeyBrief } from "./key-columns.ts";
import { OldSecrets } from "./old-secrets.ts";
import { selectPage } from "./select-page.ts";
import type { KeyQuestion, KeyPlaces } from "./select-page.ts";
import { TextBlocks } from "./text-blocks.ts";

type UseOfSecret = Omit<KeyUse, "address" | "agent">;

/** A page of all keys in the order of environment and id, after `environment/id`, with the last uses of their secrets. */
export type KeyBriefs = (page: { readonly after: string; readonly limit: number }) => {
  readonly keys: readonly KeyBrief[];
  readonly uses: readonly UseOfSecret[];
  /** The last of the page; null after the last page. */
  readonly next: string | null;
};

export interface KeyIndexPorts {
  readonly keys: Pick<KeyDirectory, "rowOf" | "placeAt" | "generation">;
  readonly briefs: KeyBriefs;
  readonly nameOf: (principal: string) => string | undefined;
  /** Keys of these are not in lists. */
  readonly isHidden: (environment: string) => boolean;
}

/** Read and put in one turn: about a millisecond. */
const PAGE = 128;

export class KeyIndex implements View<"key" | "principal"> {
  readonly name = "key search";
  readonly hears = ["key", "principal"] as const;
  readonly #ports: KeyIndexPorts;
  #columns = new KeyColumns();
  #texts = new TextBlocks();
  #owners = new TextBlocks();
  #ownerNumbers = new Map<string, number>();
  #environments: string[] = [];
  #oldSecrets = new OldSecrets();
  /** Undefined while no one has needed it. */
  #built: Promise<void> | undefined;
  #generation = -1;

  constructor(ports: KeyIndexPorts) {
    this.#ports = ports;
  }

  /** Begins to build it where it is not. */
  prepareSearch(): Promise<void> {
    if (this.#generation !== this.#ports.keys.generation) this.rebuild();
    this.#built ??= this.#build().catch((cause: unknown) => {
      this.rebuild();
      throw cause;
    });
    return this.#built;
  }

  /** Forgets all of it; the next search builds it again. */
  rebuild(): void {
    this.#generation = this.#ports.keys.generation;
    this.#built = undefined;
    this.#columns = new KeyColumns();
    this.#texts = new TextBlocks();
    this.#owners = new TextBlocks();
    this.#ownerNumbers = new Map();
    this.#environments = [];
    this.#oldSecrets = new OldSecrets();
  }

  /** The places of at most `limit` keys, in the order that was asked for, and how many there are in all. */
  async search(question: KeyQuestion, work = new LongWork()): Promise<KeyPlaces> {
    await this.prepareSearch();
    return selectPage(
      {
        columns: this.#columns,
        texts: this.#texts,
        owners: this.#owners,
        ownerCount: this.#ownerNumbers.size,
        ownerNumber: (id) => this.#ownerNumbers.get(id),
        environments: this.#environments,
        oldSecrets: this.#oldSecrets,
        rowOf: (environment, id) => this.#ports.keys.rowOf(environment, id),
        placeAt: (row) => this.#ports.keys.placeAt(row)!,
      },
      question,
      work,
    );
  }

  apply(images: readonly ImageOf<"key" | "principal">[]): void {
    if (this.#built === undefined) return;
    for (const image of images) {
      if (image.of === "principal") {
        const number = this.#ownerNumbers.get(image.id);
        if (number !== undefined) this.#owners.put(number, ownerText(image.id, image.now?.name));
      } else if (image.now) this.#put(briefOf(image.now));
    }
  }

  /** Uses that go to disk, every few seconds. */
  noteUses(uses: readonly UseOfSecret[]): void {
    if (this.#built !== undefined) this.#putUses(uses);
  }

  #putUses(uses: readonly UseOfSecret[]): void {
    for (const { environment, id, generation, usedAt } of uses) {
      const row = this.#ports.keys.rowOf(environment, id);
      if (row < 0 || row >= this.#columns.length) continue;
      this.#columns.usedAt[row] = Math.max(this.#columns.usedAt[row]!, usedAt);
      this.#oldSecrets.note(row, generation, usedAt);
    }
  }

  async #build(): Promise<void> {
    const work = new LongWork();
    for (let after: string | null = ""; after !== null;) {
      const resting = work.rest();
      if (resting) await resting;
      const page: ReturnType<KeyBriefs> = this.#ports.briefs({ after, limit: PAGE });
      for (const key of page.keys) this.#put(key);
      this.#putUses(page.uses);
      after = page.next;
    }
  }

  #put(key: KeyBrief): void {
    if (this.#ports.isHidden(key.environment)) return;
    const row = this.#ports.keys.rowOf(key.environment, key.id);
    // An id that is not ours has no place; such a row is damaged.
    if (row < 0 || this.#ports.keys.placeAt(row) === undefined) return;
    const columns = this.#columns;
    columns.makeRoom(row);
    columns.environment[row] = this.#environmentNumber(key.environment);
    columns.owner[row] = key.owner === null ? 0 : this.#ownerNumber(key.owner);
    columns.state[row] = STATES.indexOf(key.state);
    columns.isWatched[row] = key.isDecoy || key.isSession ? 0 : 1;
    columns.createdAt[row] = key.createdAt;
    const current = key.secrets.find(({ state }) => state === "active") ?? key.secrets.at(-1);
    columns.expiresAt[row] = current?.expiresAt ?? Infinity;
    columns.idleSince[row] = key.idleSince;
    columns.lifetimeMs[row] = key.lifetimeMs ?? Infinity;
    const name = key.name.toLowerCase();
    columns.nameStart[row] = textStart(name, 0);
    columns.nameNext[row] = textStart(name, START_LENGTH);
    columns.idStart[row] = textStart(key.id, 0);
    this.#texts.put(row, `${key.name}\t${key.id}`);
    this.#oldSecrets.put(row, key.secrets);
  }

  #environmentNumber(name: string): number {
    const at = this.#environments.indexOf(name);
    return at < 0 ? this.#environments.push(name) : at + 1;
  }

  #ownerNumber(id: string): number {
    const held = this.#ownerNumbers.get(id);
    if (held !== undefined) return held;
    const number = this.#ownerNumbers.size + 1;
    this.#ownerNumbers.set(id, number);
    this.#owners.put(number, ownerText(id, this.#ports.nameOf(id)));
    return number;
  }
}

function ownerText(id: string, name: string | undefined): string {
  return `${name ?? ""}\t${id}`;
}

function briefOf(key: KeyRecord): KeyBrief {
  return { ...key, isSession: key.session !== null };
}
