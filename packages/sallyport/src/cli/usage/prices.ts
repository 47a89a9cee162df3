/**
 * A price list, for a charge-back report: YAML with a currency and prices by model selector, of a million tokens in and
 * out, and of an hour of compute time. The first selector that matches a model counts.
 */
import { readBounded } from "@sallyport/ledger/node";
import { matchesModel, parseModelName, parseSelector } from "@sallyport/protocol";
import type { ModelName, ModelSelector } from "@sallyport/protocol";
import { readYaml } from "../../kernel/yaml.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import type { CostOf } from "./usage-columns.ts";

export interface PriceList {
  readonly currency: string;
  readonly costOf: CostOf;
}

const CLOUD = "cloud:";
const BYTES_MAX = 64 * 1024;
const CURRENCY = /^[\p{L}\p{Sc}]{1,8}$/u;
const PRICES = ["input", "output", "compute"] as const;
const TOKENS = 1_000_000;
const HOUR_MS = 3_600_000;

type Price = Readonly<Partial<Record<(typeof PRICES)[number], number>>>;

export function readPriceFile(path: string): PriceList {
  const bytes = readBounded(path, BYTES_MAX);
  if (bytes === undefined) throw new UsageMistake(`${path} is larger than 64 KiB`, "name a price list");
  return readPrices(bytes.toString("utf8"), path);
}

export function readPrices(text: string, path: string): PriceList {
  const yaml = readYaml(text);
  const { value, mistakes } = yaml;
  const fail = (at: readonly (string | number)[], what: string): never => {
    throw new UsageMistake(`${path} is not a price list`, "see docs/guides/usage.md", [`${yaml.place(at)} ${what}`]);
  };
  if (mistakes.length > 0) throw new UsageMistake(`${path} is not a price list`, "see docs/guides/usage.md", mistakes);
  if (!isMap(value)) return fail([], "must have the members currency and prices");
  for (const name of Object.keys(value))
    if (name !== "currency" && name !== "prices") fail([name], `${name} is unknown; known: currency, prices`);
  const { currency, prices } = value;
  if (typeof currency !== "string" || !CURRENCY.test(currency))
    return fail(["currency"], "currency must be a word such as EUR");
  if (!isMap(prices)) return fail(["prices"], "prices must be a map from model selectors to prices");
  const rows = Object.entries(prices).map(([name, price]) => {
    const selector = parseSelector(name) ?? fail(["prices", name], "is no model selector");
    if (!isPrice(price))
      return fail(["prices", name], `must have some of ${PRICES.join(", ")}, each a number of at least 0`);
    return [selector, price] as const;
  });
  return { currency, costOf: (counts, model) => costFor(counts, priceOf(rows, model)) };
}

function priceOf(rows: readonly (readonly [ModelSelector, Price])[], model: string | null): Price {
  const name = model === null ? undefined : nameOfKey(model);
  return (name && rows.find(([selector]) => matchesModel(selector, name))?.[1]) ?? {};
}

/** A model's key as a name: its prefix says that the model is in the cloud. */
function nameOfKey(key: string): ModelName | undefined {
  if (!key.startsWith(CLOUD)) return parseModelName(key);
  const name = parseModelName(key.slice(CLOUD.length));
  return name && { ...name, source: "cloud" };
}

function costFor({ inputTokens, outputTokens, computeMs }: Parameters<CostOf>[0], price: Price): number {
  const { input = 0, output = 0, compute = 0 } = price;
  return (inputTokens * input + outputTokens * output) / TOKENS + (computeMs * compute) / HOUR_MS;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPrice(value: unknown): value is Price {
  if (!isMap(value)) return false;
  return Object.entries(value).every(
    ([name, price]) =>
      PRICES.some((known) => known === name) && typeof price === "number" && price >= 0 && Number.isFinite(price),
  );
}
