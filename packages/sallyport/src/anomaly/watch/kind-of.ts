/** Which misuse the unusual looks like most: a word for people, drawn from the strongest group of factors. */
import type { AlertKind } from "../alert.ts";
import { FACTOR_NAMES, factorNow } from "./factors.ts";
import type { Factor } from "./factors.ts";
import { ROW } from "./row.ts";
import type { Row } from "./row.ts";

const LATELY_S = 1_800;

export function kindOf(row: Row, nowS: number): AlertKind {
  const of = (...names: readonly Factor[]): number => Math.max(...names.map((name) => factorNow(row, name, nowS)));
  const { words } = row.block;
  const isHunt = nowS - words[row.at + ROW.listedAt]! < LATELY_S && nowS - words[row.at + ROW.newModelAt]! < LATELY_S;
  const volume = of("rate", "tokens", "size");
  if (isHunt && of("model") > 1 && volume > 1.5) return "model_hunt";
  if (of("network", "client", "together") > 1.5) return "stolen_key";
  const strongest = FACTOR_NAMES.toSorted((a, b) => factorNow(row, b, nowS) - factorNow(row, a, nowS))[0]!;
  if (strongest === "repeats") return "repetition";
  if (strongest === "hours") return "off_hours";
  if (strongest === "models" || strongest === "endpoint" || strongest === "order") return "enumeration";
  return strongest === "rate" || strongest === "tokens" || strongest === "size" ? "flood" : "unlike_itself";
}
