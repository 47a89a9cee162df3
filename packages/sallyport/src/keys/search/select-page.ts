/**
 * One page out of the columns: every row is looked at, in slices, and the best few are kept. That costs a few
 * milliseconds for 100,000 keys, and nothing has to be kept sorted while keys change.
 */
import type { LongWork } from "../../kernel/long-work.ts";
import type { KeyColumns } from "./key-columns.ts";
import { KeyOrdering } from "./key-ordering.ts";
import type { KeySort, Rank, SearchedKeys } from "./key-ordering.ts";
import type { OldSecrets } from "./old-secrets.ts";
import { BLOCK_ROWS } from "./text-blocks.ts";

/** `expired`: active, and past its end. */
export const LISTED_STATES = ["active", "expired", "suspended", "revoked"] as const;

/** What is asked of a key's life; the bounds are those of the findings. */
export type KeyRisk =
  | { readonly is: "expiring"; readonly withinMs: number; readonly lastPart: number }
  | { readonly is: "idle"; readonly unusedMs: number; readonly neverUsedMs: number }
  | { readonly is: "old_secret" };

export interface KeyQuestion {
  /** Epoch ms. */
  readonly now: number;
  readonly isVisible: (environment: string) => boolean;
  readonly owner?: string;
  /** A piece of its name, its id, its owner's name or id; in any case. */
  readonly search?: string;
  readonly state?: (typeof LISTED_STATES)[number];
  readonly risk?: KeyRisk;
  readonly order: KeySort;
  /** `next` of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface KeyPlaces {
  readonly places: readonly { readonly environment: string; readonly id: string }[];
  /** How many match, on all pages. */
  readonly total: number;
  /** Where the next page begins; null after the last. */
  readonly next: string | null;
}

export async function selectPage(from: SearchedKeys, question: KeyQuestion, work: LongWork): Promise<KeyPlaces> {
  const { columns } = from;
  const { limit } = question;
  const order = new KeyOrdering(from, question.order);
  const after = question.after === undefined ? undefined : order.rankOfCursor(question.after);
  const isAsked = await filterOf(from, question, work);
  /** The first of them, in order, one more than the page. */
  const best: Rank[] = [];
  let total = 0;
  for (let block = 0; block * BLOCK_ROWS < columns.length; block++) {
    const resting = work.rest();
    if (resting) await resting;
    const isInBlock = isAsked(block);
    const end = Math.min(columns.length, (block + 1) * BLOCK_ROWS);
    for (let row = block * BLOCK_ROWS; row < end; row++) {
      if (!isInBlock(row)) continue;
      total++;
      if (best.length > limit && order.compare(row, best[limit]!) >= 0) continue;
      if (after !== undefined && order.compare(row, after) <= 0) continue;
      best.splice(
        placeIn(best, (rank) => order.compare(row, rank)),
        0,
        order.rankOf(row),
      );
      if (best.length > limit + 1) best.pop();
    }
  }
  const page = best.slice(0, limit);
  const last = page.at(-1);
  return {
    places: page.map(({ environment, id }) => ({ environment, id })),
    total,
    next: last && best.length > limit ? order.cursorOf(last) : null,
  };
}

type IsAsked = (block: number) => (row: number) => boolean;

async function filterOf(from: SearchedKeys, question: KeyQuestion, work: LongWork): Promise<IsAsked> {
  const { columns, texts, environments, oldSecrets } = from;
  const { now, state, risk, isVisible } = question;
  const visible = Uint8Array.from([0, ...environments.map((name) => (isVisible(name) ? 1 : 0))]);
  // An owner without keys has no number, and matches none.
  const owner = question.owner === undefined ? undefined : (from.ownerNumber(question.owner) ?? -1);
  const piece = question.search?.toLowerCase();
  const owners = piece === undefined ? undefined : await markedOwners(from, piece, work);
  const marks = new Uint8Array(BLOCK_ROWS);
  return (block) => {
    if (piece !== undefined) {
      marks.fill(0);
      texts.find(block, piece, marks);
    }
    const first = block * BLOCK_ROWS;
    return (row) => {
      // An environment that came while the rows were looked at has no place in `visible`.
      if (visible[columns.environment[row]!] !== 1) return false;
      if (owners !== undefined && marks[row - first] === 0 && owners[columns.owner[row]!] !== 1) return false;
      if (owner !== undefined && columns.owner[row] !== owner) return false;
      if (state !== undefined && !isInState(columns, row, state, now)) return false;
      return risk === undefined || isAtRisk(columns, row, risk, now, oldSecrets);
    };
  };
}

async function markedOwners({ owners, ownerCount }: SearchedKeys, piece: string, work: LongWork): Promise<Uint8Array> {
  const marked = new Uint8Array(Math.ceil((ownerCount + 1) / BLOCK_ROWS) * BLOCK_ROWS);
  for (let block = 0; block * BLOCK_ROWS < marked.length; block++) {
    const resting = work.rest();
    if (resting) await resting;
    owners.find(block, piece, marked.subarray(block * BLOCK_ROWS, (block + 1) * BLOCK_ROWS));
  }
  // Number 0 is no owner.
  marked[0] = 0;
  return marked;
}

function isInState(columns: KeyColumns, row: number, state: NonNullable<KeyQuestion["state"]>, now: number): boolean {
  const [active, suspended] = [0, 1];
  const held = columns.state[row]!;
  if (state === "suspended") return held === suspended;
  if (state === "revoked") return held > suspended;
  return held === active && columns.expiresAt[row]! <= now === (state === "expired");
}

function isAtRisk(columns: KeyColumns, row: number, risk: KeyRisk, now: number, oldSecrets: OldSecrets): boolean {
  if (columns.state[row] !== 0 || columns.isWatched[row] !== 1) return false;
  if (risk.is === "old_secret") return oldSecrets.has(row);
  if (risk.is === "expiring") {
    const leftMs = columns.expiresAt[row]! - now;
    return leftMs > 0 && leftMs <= risk.withinMs && leftMs <= columns.lifetimeMs[row]! / risk.lastPart;
  }
  const used = columns.usedAt[row]!;
  return used === 0 ? now - columns.idleSince[row]! >= risk.neverUsedMs : now - used >= risk.unusedMs;
}

/** Where a row belongs among those that are in order. */
function placeIn(best: readonly Rank[], compareWith: (rank: Rank) => number): number {
  let [low, high] = [0, best.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareWith(best[middle]!) > 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
