/** Every event against what is known of its key and its peers: the factors that are unusual are noted in the row. */
import { networkPrefix } from "../../kernel/network-prefix.ts";
import type { Observation } from "../observation.ts";
import type { SpotShape } from "../series/spot.ts";
import { isSpotReady, learnSpot, spotTail } from "../series/spot.ts";
import { widen } from "./breadth.ts";
import { follow } from "./calls.ts";
import { moveTo } from "./company.ts";
import { noteFactor } from "./factors.ts";
import type { Factor } from "./factors.ts";
import { mix } from "./hash.ts";
import { oddHours } from "./hours.ts";
import { meter, shift } from "./meters.ts";
import { Names } from "./names.ts";
import { blockOf, lingering, newcomers } from "./newcomers.ts";
import { countNovelty, knows, meets, noveltyRate } from "./novelty.ts";
import type { Peers } from "./peers.ts";
import { Familiar, SYMBOLS } from "./peers.ts";
import { DIMENSIONS, ROW } from "./row.ts";
import type { Dimension, Row } from "./row.ts";
import type { WatchedKey } from "./watched-key.ts";

const TAIL: SpotShape = { firstCount: 60, levelShare: 0.1, peaksMax: 16 };
const FAILED: ReadonlySet<string> = new Set(["unreachable", "timed_out", "upstream_error", "incomplete", "broken"]);
const PREFIXES_MAX = 20_000;

export class Comparison {
  readonly names = new Names();
  readonly familiar = new Familiar();
  readonly symbols = new Map<string, number>();
  readonly #prefixes = new Map<string, string>();

  /** Everything that may be unusual; true where something new was noted. */
  compare(watched: WatchedKey, row: Row, peers: Peers, event: Observation, nowS: number, gapS: number): boolean {
    const { floats, words } = row.block;
    const at = row.at;
    const isRefused = event.kind === "refused";
    let isChanged = false;
    const note = (factor: Factor, p: number): void => {
      if (p < 0.2 && noteFactor(row, factor, p, nowS)) isChanged = true;
    };
    floats[at + ROW.inHour]! += 1;
    note("hours", oddHours(row, floats[at + ROW.inHour]!, nowS));
    // Clients retry what failed at the model server, so it does not count.
    const counts = FAILED.has(event.outcome ?? "") ? 0 : 1;
    const metered = meter(
      row,
      counts * event.count,
      counts * event.inputTokens,
      counts * event.outputTokens,
      isRefused ? event.count : 0,
    );
    note("rate", metered.rate);
    note("tokens", Math.min(metered.tokens, shift(row)));
    note("refusals", metered.refusals);
    if (!isRefused && counts > 0) {
      floats[at + ROW.dayTotals]! += event.count;
      floats[at + ROW.dayTotals + 1]! += event.outputTokens;
    }
    if (event.address !== null) {
      const network = this.names.hash(this.prefix(event.address));
      const p = this.#networkNovelty(watched, row, peers, event.address, network, nowS);
      note("network", lingering(row, ROW.newNetwork, network, p, nowS) * newcomers(row, network, p < 1));
      note("together", moveTo(row, network, nowS));
      note("networks", widen(row, 0, network));
    }
    if (event.client !== null) {
      const p = this.#clientNovelty(watched, row, peers, event.client, nowS);
      note("client", lingering(row, ROW.newClient, this.names.hash(event.client), p, nowS));
    }
    if (event.model !== null) {
      const model = this.names.hash(event.model);
      const p = this.novelty(watched, row, peers, "model", model, nowS);
      if (p < 1) words[at + ROW.newModelAt] = nowS;
      note("model", p);
      note("models", widen(row, 1, model));
    }
    if (event.endpoint !== null) {
      const endpoint = this.names.hash(event.endpoint);
      note("endpoint", this.novelty(watched, row, peers, "endpoint", endpoint, nowS));
      note("order", follow(row, this.#symbol(event.endpoint, isRefused), gapS, peers));
      if (event.permissions.includes("models:list")) words[at + ROW.listedAt] = nowS;
      if (event.outcome === "served" && event.model !== null) {
        const shape = mix(endpoint ^ mix(event.requestBytes * 31 + event.inputTokens)) || 1;
        widen(row, 2, shape);
        note("repeats", repeat(row, shape));
        this.#weigh(watched, event, note);
      }
    }
    return isChanged;
  }

  /** One giant prompt or answer, against the tail of this key's own. */
  #weigh(
    { tail }: WatchedKey,
    { inputTokens, outputTokens }: Observation,
    note: (factor: Factor, p: number) => void,
  ): void {
    const size = Math.log1p(inputTokens + 3 * outputTokens);
    const p = isSpotReady(tail) ? Math.max(spotTail(tail, size), 1e-5) : 1;
    if (p < 1e-3) note("size", p * 10);
    if (p > 1e-5) learnSpot(tail, size, TAIL);
  }

  /** 1 where it is known. */
  novelty(watched: WatchedKey, row: Row, peers: Peers, dimension: Dimension, hash: number, nowS: number): number {
    const index = DIMENSIONS.indexOf(dimension);
    if (meets(row, dimension, hash, nowS)) return 1;
    const isShared = this.familiar.meets(
      mix(hash + mix(index + 8 * row.block.words[row.at + ROW.peer]!)),
      watched.number,
      nowS,
    );
    const isFirst = row.block.words[row.at + ROW.first] === nowS;
    if (isFirst) return 1;
    const rate =
      noveltyRate(row, dimension, peers.rate(index)) * 10 ** row.block.floats[row.at + ROW.loosened + index]!;
    countNovelty(row, dimension);
    peers.novelties[index]!++;
    return Math.min(0.99, isShared ? Math.sqrt(rate) : rate);
  }

  /** A new network of a provider that is known is less of a novelty than a new provider. */
  #networkNovelty(watched: WatchedKey, row: Row, peers: Peers, address: string, network: number, nowS: number): number {
    const p = this.novelty(watched, row, peers, "network", network, nowS);
    if (p >= 1) return 1;
    const block = this.novelty(watched, row, peers, "block", this.names.hash(blockOf(address)), nowS);
    return block < 1 ? Math.min(p, block) : Math.sqrt(p);
  }

  /** A new version of a known program is less of a novelty than a new program. */
  #clientNovelty(watched: WatchedKey, row: Row, peers: Peers, client: string, nowS: number): number {
    const slash = client.lastIndexOf("/");
    const product = slash > 0 ? this.names.hash(client.slice(0, slash)) : 0;
    const isKnownProduct = product !== 0 && knows(row, "client", product);
    if (product !== 0) meets(row, "client", product, nowS);
    const p = this.novelty(watched, row, peers, "client", this.names.hash(client), nowS);
    return p < 1 && isKnownProduct ? Math.sqrt(p) : p;
  }

  prefix(address: string): string {
    const known = this.#prefixes.get(address);
    if (known !== undefined) return known;
    if (this.#prefixes.size > PREFIXES_MAX) this.#prefixes.clear();
    const prefix = networkPrefix(address);
    this.#prefixes.set(address, prefix);
    return prefix;
  }

  #symbol(endpoint: string, isRefused: boolean): number {
    let number = this.symbols.get(endpoint);
    if (number === undefined) {
      number = Math.min(this.symbols.size, SYMBOLS / 2 - 2);
      if (this.symbols.size < SYMBOLS / 2) this.symbols.set(endpoint, number);
    }
    return 2 + 2 * number - (isRefused ? 1 : 0);
  }
}

const SHAPES = 8;
const ALPHA = 1 / 200;

/** p of so many repeats in this hour. */
function repeat({ block, at }: Row, shape: number): number {
  const { words, floats } = block;
  let isRepeat = false;
  for (let slot = 0; slot < SHAPES; slot++) if (words[at + ROW.shapes + slot] === shape) isRepeat = true;
  const share = floats[at + ROW.repeatShare]!;
  if (!isRepeat) {
    const next = words[at + ROW.shapeNext]! % SHAPES;
    words[at + ROW.shapes + next] = shape;
    words[at + ROW.shapeNext] = next + 1;
    floats[at + ROW.repeatShare] = share * (1 - ALPHA);
    return 1;
  }
  const repeats = (floats[at + ROW.repeats]! += 1);
  floats[at + ROW.repeatShare] = share + ALPHA * (1 - share);
  const beyond = repeats - 2 - 2 * share * floats[at + ROW.inHour]!;
  return beyond <= 0 || share > 0.5 ? 1 : Math.max(1e-8, (share + 0.1) ** beyond);
}
