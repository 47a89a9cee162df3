/**
 * Watches every key of a gateway: one row of numbers and a little evidence for each, a constant few microseconds for each
 * event, and alerts. Pure: what it is told is all it knows, time is the events' own, and its state can be kept.
 */
import { isSpotReady, learnSpot, newSpot, spotTail } from "../series/spot.ts";
import type { Spot, SpotShape } from "../series/spot.ts";
import { alertKinds } from "../alert.ts";
import type { Alert, AlertFactor, AlertKind } from "../alert.ts";
import type { Observation } from "../observation.ts";
import { networkPrefix } from "../../kernel/network-prefix.ts";
import { countOf, turnBreadths, widen } from "./breadth.ts";
import { Budget } from "./budget.ts";
import type { KeptBudget } from "./budget.ts";
import { follow } from "./calls.ts";
import { moveTo, returnsOf } from "./company.ts";
import { kindOf } from "./kind-of.ts";
import { combineFactors, noteFactor } from "./factors.ts";
import type { Factor } from "./factors.ts";
import { mix } from "./hash.ts";
import { oddHours, visitHour } from "./hours.ts";
import { KnownFacts } from "./known-facts.ts";
import type { KeptFacts } from "./known-facts.ts";
import { learnFalseAlarm } from "./feedback.ts";
import { meter, shift, turnWindows } from "./meters.ts";
import { Names } from "./names.ts";
import { blockOf, lingering, newcomers } from "./newcomers.ts";
import { countDay, countNovelty, knows, meets, noveltyRate } from "./novelty.ts";
import { Familiar, Peers, SYMBOLS } from "./peers.ts";
import type { KeptPeers } from "./peers.ts";
import { deny } from "./probing.ts";
import { repeat } from "./repeats.ts";
import { DIMENSIONS, ROW, ROW_WORDS, Rows } from "./row.ts";
import type { Dimension, Row } from "./row.ts";
import { closeDay } from "./slow.ts";
import { tellFactors } from "./tell.ts";

const EVIDENCE = 12;
const PEERS_MAX = 64;
const TAIL: SpotShape = { firstCount: 60, levelShare: 0.1, peaksMax: 16 };
const HOUR_S = 3_600;
const DAY_S = 86_400;
/** The same kind of the same key within this is the same alert. */
const AGAIN_S = 86_400;
const DORMANT_S = 28 * DAY_S;

export interface WatchedKey {
  readonly environment: string;
  readonly key: string;
  owner: string | null;
  readonly place: number;
  readonly number: number;
  readonly tail: Spot;
  readonly requests: string[];
  readonly times: Float64Array;
  next: number;
}

export interface Look {
  /** -log10 of the combined p-value, and the bar it has to pass. */
  readonly score: number;
  readonly bar: number;
  readonly signals: number;
  readonly factors: readonly AlertFactor[];
}

export interface KeyWatchSettings {
  /** Alerts a key and 30 days that are promised not to be passed by likelihoods; facts are always told. */
  readonly budget?: number;
}

/** Changes with what a row means. */
const WATCH_VERSION = 1;

export interface KeptWatch {
  readonly version: number;
  readonly rowWords: number;
  readonly keys: readonly (Omit<WatchedKey, "place" | "times"> & { readonly row: string; readonly times: readonly number[] })[];
  readonly peers: readonly KeptPeers[];
  readonly names: readonly string[];
  readonly familiar: readonly (readonly [number, number])[];
  readonly facts: KeptFacts;
  readonly budget: KeptBudget;
  readonly symbols: readonly (readonly [string, number])[];
}

export class KeyWatch {
  readonly #rows = new Rows();
  readonly #keys = new Map<string, WatchedKey>();
  readonly #peers: Peers[] = [new Peers("")];
  readonly #peersByName = new Map<string, number>([["", 0]]);
  readonly #names = new Names();
  readonly #prefixes = new Map<string, string>();
  readonly #familiar = new Familiar();
  readonly #facts = new KnownFacts();
  readonly #symbols = new Map<string, number>();
  readonly #budget: Budget;
  readonly #alerts: Alert[] = [];
  #numbers = 1;

  constructor({ budget = 1 }: KeyWatchSettings = {}) {
    this.#budget = new Budget(budget);
  }

  /** Keys that are known. */
  get size(): number {
    return this.#keys.size;
  }

  /** Takes one event in; what it makes unusual comes back at once. Events come in order of time, or nearly. */
  see(event: Observation): readonly Alert[] {
    this.#alerts.length = 0;
    if (event.kind === "exchange" || event.kind === "refused") this.#use(event);
    else this.#turn(event);
    return this.#alerts.length === 0 ? NONE : [...this.#alerts];
  }

  /** How unusual a key is at this time (epoch ms), whether or not that is told; undefined for one never seen. */
  look(environment: string, key: string, at: number): Look | undefined {
    const watched = this.#keys.get(`${environment}/${key}`);
    if (!watched) return undefined;
    const row = this.#rows.row(watched.place);
    const nowS = Math.floor(at / 1_000);
    const { score, signals } = combineFactors(row, nowS, this.#peersOf(row, null).calibration);
    return { score, signals, bar: this.#budget.bar(row, nowS), factors: tellFactors(row, this.#names, nowS) };
  }

  /** A person says that this was nothing; false where the key is not known. */
  falseAlarm(alert: Pick<Alert, "environment" | "key" | "kind" | "factors" | "at">): boolean {
    const watched = this.#keys.get(`${alert.environment}/${alert.key}`);
    if (!watched) return false;
    learnFalseAlarm(this.#rows.row(watched.place), alert, this.#names, Math.floor(alert.at / 1_000));
    return true;
  }

  /** A key that is gone for good makes room. */
  forget(environment: string, key: string): void {
    const watched = this.#keys.get(`${environment}/${key}`);
    if (!watched) return;
    this.#rows.give(watched.place);
    this.#keys.delete(`${environment}/${key}`);
  }

  /** All that was learned, as JSON may hold it. */
  keep(): KeptWatch {
    return {
      version: WATCH_VERSION,
      rowWords: ROW_WORDS,
      keys: [...this.#keys.values()].map(({ place, times, ...rest }) => ({
        ...rest,
        times: [...times],
        row: Buffer.from(this.#rows.bytesOf(place)).toString("base64"),
      })),
      peers: this.#peers.map((peers) => peers.keep()),
      names: this.#names.keep(),
      familiar: this.#familiar.keep(),
      facts: this.#facts.keep(),
      budget: this.#budget.keep(),
      symbols: [...this.#symbols],
    };
  }

  /** False where it was kept by a program with other rows: then everything is learned anew. */
  restore(kept: KeptWatch, nowMs: number): boolean {
    if (kept.version !== WATCH_VERSION || kept.rowWords !== ROW_WORDS) return false;
    for (const { row, times, ...rest } of kept.keys) {
      const place = this.#rows.take();
      this.#rows.put(place, Buffer.from(row, "base64"));
      this.#keys.set(`${rest.environment}/${rest.key}`, { ...rest, place, requests: [...rest.requests], times: Float64Array.from(times) });
      this.#numbers = Math.max(this.#numbers, rest.number + 1);
    }
    for (const [number, said] of kept.peers.entries()) {
      this.#peers[number] ??= new Peers(said.name);
      this.#peersByName.set(said.name, number);
      this.#peers[number].restore(said);
    }
    for (const name of kept.names) this.#names.hash(name);
    this.#familiar.restore(kept.familiar, Math.floor(nowMs / 1_000));
    this.#facts.restore(kept.facts);
    this.#budget.restore(kept.budget);
    for (const [endpoint, number] of kept.symbols) this.#symbols.set(endpoint, number);
    return true;
  }

  #use(event: Observation): void {
    const watched = this.#watched(event.environment, event.key, event.owner);
    const row = this.#rows.row(watched.place);
    const nowS = Math.floor(event.at / 1_000);
    const peers = this.#peersOf(row, event.peer);
    const gapS = this.#turnTime(watched, row, peers, nowS);
    keepEvidence(watched, event);
    if (gapS > DORMANT_S) this.#revive(watched, row, event, gapS);
    const isChanged = this.#compare(watched, row, peers, event, nowS, gapS);
    this.#judge(watched, row, peers, event, nowS, isChanged);
  }

  #revive(watched: WatchedKey, row: Row, event: Observation, gapS: number): void {
    const factor = { name: "days of rest", observed: Math.floor(gapS / DAY_S), usual: [`up to ${DORMANT_S / DAY_S}`], p: null };
    this.#raise(watched, row, "dormant_revival", event.at, { p: null, signals: 1, factors: [factor] });
  }

  /** Hours and days that are over; how long it was silent, s. */
  #turnTime(watched: WatchedKey, row: Row, peers: Peers, nowS: number): number {
    const { words, floats } = row.block;
    const at = row.at;
    const before = words[at + ROW.last]!;
    const gapS = before === 0 ? 0 : Math.max(0, nowS - before);
    if (before === 0) words[at + ROW.first] = nowS;
    words[at + ROW.last] = Math.max(before, nowS);
    const isCalm = nowS - words[at + ROW.alertAt]! > 2 * HOUR_S;
    turnWindows(row, nowS, peers, isCalm);
    const hour = Math.floor(nowS / HOUR_S);
    if (words[at + ROW.hour] !== hour) {
      if (words[at + ROW.hour] !== 0) {
        // An hour in which nothing could have been told passes no bar.
        const isOpen = nowS - words[at + ROW.alertAt]! > AGAIN_S;
        this.#budget.learn(isOpen ? floats[at + ROW.hourScore]! : 0, this.#keys.size, nowS);
        // What was told as unusual is no measure of the usual.
        if (isOpen) peers.calibration.learn(row, words[at + ROW.hour]!);
      }
      floats[at + ROW.hourScore] = 0;
      turnBreadths(row, isCalm);
      if (isCalm && words[at + ROW.hour] !== 0) visitHour(row, words[at + ROW.hour]!);
      words[at + ROW.hour] = hour;
      floats[at + ROW.inHour] = 0;
      floats[at + ROW.repeats] = 0;
    }
    const day = Math.floor(nowS / DAY_S);
    if (words[at + ROW.day] !== day) {
      const passed = words[at + ROW.day] === 0 ? 0 : day - words[at + ROW.day]!;
      if (passed > 0) this.#closeDay(watched, row, nowS);
      words[at + ROW.day] = day;
      countDay(row, passed);
      floats[at + ROW.deniedMost] = Math.max(0.97 * floats[at + ROW.deniedMost]!, floats[at + ROW.deniedToday]!);
      floats[at + ROW.deniedToday] = 0;
      peers.countDay();
    }
    return gapS;
  }

  #closeDay(watched: WatchedKey, row: Row, nowS: number): void {
    const isClean = nowS - row.block.words[row.at + ROW.cleanSince]! > 14 * DAY_S;
    const ramp = closeDay(row, isClean);
    const isTold = nowS - row.block.words[row.at + ROW.rampAt]! < RAMP_AGAIN_S;
    if (ramp && ramp.score > RAMP_SCORE && !isTold) {
      row.block.words[row.at + ROW.rampAt] = nowS;
      const factor: AlertFactor = {
        name: ramp.metric === 0 ? "requests a day" : "output tokens a day",
        observed: `${Math.exp(ramp.rise).toFixed(2)} x`,
        usual: ["1 x"],
        p: null,
      };
      this.#raise(watched, row, "ramp", nowS * 1_000, { p: 10 ** -ramp.score, signals: 1, factors: [factor] });
    }
  }

  /** Everything that may be unusual; true where something new was noted. */
  #compare(watched: WatchedKey, row: Row, peers: Peers, event: Observation, nowS: number, gapS: number): boolean {
    const { floats, words } = row.block;
    const at = row.at;
    const isRefused = event.kind === "refused";
    let isChanged = false;
    const note = (factor: Factor, p: number): void => {
      if (p < 0.2 && noteFactor(row, factor, p, nowS)) isChanged = true;
    };
    floats[at + ROW.inHour]! += 1;
    note("hours", oddHours(row, floats[at + ROW.inHour]!, nowS));
    // What failed at the model server is tried again by whoever is no thief: it counts as nothing.
    const counts = FAILED.has(event.outcome ?? "") ? 0 : 1;
    const metered = meter(row, counts * event.count, counts * event.inputTokens, counts * event.outputTokens, isRefused ? event.count : 0);
    note("rate", metered.rate);
    note("tokens", Math.min(metered.tokens, shift(row)));
    note("refusals", metered.refusals);
    if (!isRefused) {
      floats[at + ROW.dayTotals]! += 1;
      floats[at + ROW.dayTotals + 1]! += event.outputTokens;
    }
    if (event.address !== null) {
      const network = this.#names.hash(this.#prefix(event.address));
      const p = this.#networkNovelty(watched, row, peers, event.address, network, nowS);
      note("network", lingering(row, ROW.newNetwork, network, p, nowS) * newcomers(row, network, p < 1));
      note("together", moveTo(row, network, nowS));
      note("networks", widen(row, 0, network));
    }
    if (event.client !== null) {
      const p = this.#clientNovelty(watched, row, peers, event.client, nowS);
      note("client", lingering(row, ROW.newClient, this.#names.hash(event.client), p, nowS));
    }
    if (event.model !== null) {
      const model = this.#names.hash(event.model);
      const p = this.#novelty(watched, row, peers, "model", model, nowS);
      if (p < 1) words[at + ROW.newModelAt] = nowS;
      note("model", p);
      note("models", widen(row, 1, model));
    }
    if (event.endpoint !== null) {
      const endpoint = this.#names.hash(event.endpoint);
      note("endpoint", this.#novelty(watched, row, peers, "endpoint", endpoint, nowS));
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
  #weigh({ tail }: WatchedKey, { inputTokens, outputTokens }: Observation, note: (factor: Factor, p: number) => void): void {
    const size = Math.log1p(inputTokens + 3 * outputTokens);
    const p = isSpotReady(tail) ? Math.max(spotTail(tail, size), 1e-5) : 1;
    if (p < 1e-3) note("size", p * 10);
    if (p > 1e-5) learnSpot(tail, size, TAIL);
  }

  /** 1 where it is known. */
  #novelty(watched: WatchedKey, row: Row, peers: Peers, dimension: Dimension, hash: number, nowS: number): number {
    const index = DIMENSIONS.indexOf(dimension);
    if (meets(row, dimension, hash, nowS)) return 1;
    const isShared = this.#familiar.meets(mix(hash + mix(index + 8 * row.block.words[row.at + ROW.peer]!)), watched.number, nowS);
    const isFirst = row.block.words[row.at + ROW.first] === nowS;
    if (isFirst) return 1;
    const rate = noveltyRate(row, dimension, peers.rate(index)) * 10 ** row.block.floats[row.at + ROW.loosened + index]!;
    countNovelty(row, dimension);
    peers.novelties[index]!++;
    return Math.min(0.99, isShared ? Math.sqrt(rate) : rate);
  }

  /** A new network of a provider that is known is less of a novelty than a new provider. */
  #networkNovelty(watched: WatchedKey, row: Row, peers: Peers, address: string, network: number, nowS: number): number {
    const p = this.#novelty(watched, row, peers, "network", network, nowS);
    if (p >= 1) return 1;
    const block = this.#novelty(watched, row, peers, "block", this.#names.hash(blockOf(address)), nowS);
    return block < 1 ? Math.min(p, block) : Math.sqrt(p);
  }

  /** A new version of a known program is less of a novelty than a new program. */
  #clientNovelty(watched: WatchedKey, row: Row, peers: Peers, client: string, nowS: number): number {
    const slash = client.lastIndexOf("/");
    const product = slash > 0 ? this.#names.hash(client.slice(0, slash)) : 0;
    const isKnownProduct = product !== 0 && knows(row, "client", product);
    if (product !== 0) meets(row, "client", product, nowS);
    const p = this.#novelty(watched, row, peers, "client", this.#names.hash(client), nowS);
    return p < 1 && isKnownProduct ? Math.sqrt(p) : p;
  }

  #judge(watched: WatchedKey, row: Row, peers: Peers, event: Observation, nowS: number, isChanged: boolean): void {
    this.#rules(watched, row, event, nowS);
    if (!isChanged) return;
    const { floats, words } = row.block;
    const { score, signals } = combineFactors(row, nowS, peers.calibration);
    if (score <= floats[row.at + ROW.hourScore]!) return;
    floats[row.at + ROW.hourScore] = score;
    if (score < this.#budget.bar(row, nowS)) return;
    const p = this.#budget.p(score);
    const isMore = score > floats[row.at + ROW.alertScore]! + MORE;
    this.#raise(watched, row, kindOf(row, nowS), event.at, { p, signals, factors: tellFactors(row, this.#names, nowS) }, isMore);
    if (words[row.at + ROW.alertAt] === nowS) floats[row.at + ROW.alertScore] = score;
  }

  /** What needs no likelihood. */
  #rules(watched: WatchedKey, row: Row, event: Observation, nowS: number): void {
    const { words, floats } = row.block;
    const at = row.at;
    const fact = (kind: AlertKind, name: string, observed: string | number, usual: AlertFactor["usual"] = []): void =>
      this.#raise(watched, row, kind, event.at, { p: null, signals: 1, factors: [{ name, observed, usual, p: null }, ...tellFactors(row, this.#names, nowS)] });
    if (event.isDecoy) fact("decoy_used", "use of bait", event.address ?? "unknown");
    if (this.#facts.hasEnded(event)) {
      const isNew = words[at + ROW.newNetworkAt] === nowS;
      if (event.outcome === "served" || isNew) fact("leaver", "use after the end", event.code ?? "served");
    }
    if (event.code === "signature_replayed") {
      floats[at + ROW.replayed] = nowS - words[at + ROW.replayedAt]! < 600 ? floats[at + ROW.replayed]! + 1 : 1;
      words[at + ROW.replayedAt] = nowS;
      if (floats[at + ROW.replayed]! >= 3) fact("replay", "signatures used again", floats[at + ROW.replayed]!, [0]);
    }
    if (event.kind === "refused" && event.code !== null && PROBED.has(event.code)) {
      const what = mix(this.#names.hash(event.code) ^ mix(this.#names.hash(event.endpoint ?? "")) ^ this.#names.hash(event.model ?? "")) || 1;
      const different = deny(row, what, nowS);
      const usually = floats[at + ROW.deniedMost]!;
      floats[at + ROW.deniedToday] = Math.max(floats[at + ROW.deniedToday]!, different);
      // Who was hardly ever refused anything needs less.
      const least = usually <= 1 && floats[at + ROW.days]! >= 7 ? PROBES - 1 : PROBES;
      if (different >= Math.max(least, 1.5 * usually + 1)) fact("scope_probing", "different things refused", different, [Math.round(usually)]);
    }
    if (returnsOf(row) >= 4 && words[at + ROW.returnsAt] === nowS && floats[at + ROW.returnDays]! < 1.5 && nowS - words[at + ROW.newNetworkAt]! < HOUR_S && floats[at + ROW.days]! > 7 && noveltyRate(row, "network", 0) < 0.15)
      fact("two_places", "networks in turns", returnsOf(row), [0]);
    if (words[at + ROW.newNetworkAt] === nowS && floats[at + ROW.breadths] !== 0) {
      const networks = countOf(row, 0);
      const most = Math.expm1(floats[at + ROW.breadths + 1]! + 3 * Math.sqrt(floats[at + ROW.breadths + 2]!));
      if (networks >= Math.max(SPREAD, 2 * most)) fact("credential_spread", "networks within the hour", networks, [Math.max(1, Math.round(most))]);
    }
  }

  /** A turn of a key's life: whoever makes and ends keys is watched by his own key. */
  #turn(event: Observation): void {
    const { kind, actor, owner } = event;
    const taken = kind === "issued" ? this.#facts.takenAway(event) : undefined;
    this.#facts.learn(event);
    if (actor === null || event.address === null || kind === "left") return;
    const watched = this.#watched("system", actor.replace(/^\w+:/, ""), actor);
    const row = this.#rows.row(watched.place);
    const nowS = Math.floor(event.at / 1_000);
    this.#turnTime(watched, row, this.#peers[0]!, nowS);
    keepEvidence(watched, event);
    const network = this.#prefix(event.address);
    const isNew = this.#novelty(watched, row, this.#peers[0]!, "network", this.#names.hash(network), nowS) < 1;
    if (isNew) {
      row.block.words[row.at + ROW.newNetwork] = this.#names.hash(network);
      row.block.words[row.at + ROW.newNetworkAt] = nowS;
    }
    const isRecentlyNew = nowS - row.block.words[row.at + ROW.newNetworkAt]! < HOUR_S;
    if (!taken || (taken.actor === actor && (!isRecentlyNew || taken.address === event.address))) return;
    const isHis = owner !== null && actor === `principal:${owner}`;
    if (!isHis && !isRecentlyNew) return;
    const factors: AlertFactor[] = [
      { name: "key made after a revocation", observed: event.key, usual: [], p: null },
      { name: "made by", observed: actor, usual: taken.actor === null ? [] : [taken.actor], p: null },
      { name: "network", observed: network, usual: [], p: null },
    ];
    this.#raise(watched, row, "mint_after_revoke", event.at, { p: null, signals: isHis ? 1 : 2, factors });
  }

  #raise(watched: WatchedKey, row: Row, kind: AlertKind, at: number, said: Pick<Alert, "p" | "signals" | "factors">, isMore = false): void {
    const { words } = row.block;
    const nowS = Math.floor(at / 1_000);
    const { isFact } = alertKinds[kind];
    const isAgain = nowS - words[row.at + ROW.alertAt]! < AGAIN_S;
    // A fact is told beside a likelihood, a likelihood not beside anything.
    const bit = 1 << ALERT_BITS.indexOf(kind);
    if (isAgain && !isMore && (!isFact || (words[row.at + ROW.alertKind]! & bit) !== 0)) {
      words[row.at + ROW.cleanSince] = nowS;
      return;
    }
    words[row.at + ROW.alertKind] = (isAgain ? words[row.at + ROW.alertKind]! : 0) | bit;
    words[row.at + ROW.alertAt] = nowS;
    words[row.at + ROW.cleanSince] = nowS;
    if (!isFact) this.#budget.spend(row, nowS);
    const { environment, key, owner } = watched;
    this.#alerts.push({ id: `${environment}/${key}/${kind}/${at}`, at, environment, key, owner, kind, isDeterministic: isFact, ...said, evidence: evidenceOf(watched) });
  }

  #watched(environment: string, key: string, owner: string | null): WatchedKey {
    const name = `${environment}/${key}`;
    const known = this.#keys.get(name);
    if (known) return known;
    const place = this.#rows.take();
    const made: WatchedKey = { environment, key, owner, place, number: this.#numbers++, tail: newSpot(), requests: [], times: new Float64Array(EVIDENCE), next: 0 };
    this.#keys.set(name, made);
    return made;
  }

  #peersOf({ block, at }: Row, name: string | null): Peers {
    const known = block.words[at + ROW.peer]!;
    if (known !== 0) return this.#peers[known - 1]!;
    let number = this.#peersByName.get(name ?? "");
    if (number === undefined && this.#peers.length < PEERS_MAX) {
      number = this.#peers.push(new Peers(name ?? "")) - 1;
      this.#peersByName.set(name ?? "", number);
    }
    block.words[at + ROW.peer] = (number ?? 0) + 1;
    return this.#peers[number ?? 0]!;
  }

  #prefix(address: string): string {
    const known = this.#prefixes.get(address);
    if (known !== undefined) return known;
    if (this.#prefixes.size > 20_000) this.#prefixes.clear();
    const prefix = networkPrefix(address);
    this.#prefixes.set(address, prefix);
    return prefix;
  }

  #symbol(endpoint: string, isRefused: boolean): number {
    let number = this.#symbols.get(endpoint);
    if (number === undefined) {
      number = Math.min(this.#symbols.size, SYMBOLS / 2 - 2);
      if (this.#symbols.size < SYMBOLS / 2) this.#symbols.set(endpoint, number);
    }
    return 2 + 2 * number - (isRefused ? 1 : 0);
  }
}

const NONE: readonly Alert[] = [];
const RAMP_SCORE = 2.2;
const RAMP_AGAIN_S = 21 * DAY_S;
const PROBES = 4;
const SPREAD = 8;
/** So much more unlikely than what was told is told again within the day. */
const MORE = 1;
const FAILED: ReadonlySet<string> = new Set(["unreachable", "timed_out", "upstream_error", "incomplete", "broken"]);
const PROBED: ReadonlySet<string> = new Set(["permission_denied", "model_denied", "cloud_denied", "registry_denied"]);
const ALERT_BITS = Object.keys(alertKinds) as readonly AlertKind[];

function keepEvidence(watched: WatchedKey, { request, at }: Observation): void {
  if (request === null) return;
  watched.requests[watched.next] = request;
  watched.times[watched.next] = at;
  watched.next = (watched.next + 1) % EVIDENCE;
}

function evidenceOf({ requests, times, next }: WatchedKey): Alert["evidence"] {
  return requests
    .map((_, n) => (next + n) % requests.length)
    .map((n) => ({ request: requests[n]!, at: times[n]! }));
}
