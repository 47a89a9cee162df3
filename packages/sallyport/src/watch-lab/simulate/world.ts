/** Where and with what the simulated keys work: the same pools for those who belong and those who do not. */
import type { Draw } from "./draw.ts";

/** Monday 2026-01-05, epoch ms. */
export const FIRST_DAY_MS = Date.UTC(2026, 0, 5);
export const DAY_MS = 86_400_000;
export const MINUTE_MS = 60_000;
export const DAYS = 60;
export const ENVIRONMENT = "prod";

/** Offices are closed on these days. */
const HOLIDAYS = new Set([11, 29, 43]);

export function isWorkday(day: number): boolean {
  return day % 7 < 5 && !HOLIDAYS.has(day);
}

export const MODELS = [
  "llama3.2", "llama3.3", "qwen3", "qwen3-coder", "gemma3", "mistral-small", "phi4", "deepseek-r1", "gpt-oss",
  "granite4", "nomic-embed-text", "mxbai-embed-large", "llava", "codestral", "smollm2", "olmo2",
].map((name) => `registry.ollama.ai/library/${name}:latest`); // prettier-ignore

const EMBEDDERS = MODELS.filter((name) => name.includes("embed"));
const CHATTERS = MODELS.filter((name) => !name.includes("embed"));

export function pickModel(draw: Draw, isEmbedder: boolean): string {
  return draw.pick(isEmbedder ? EMBEDDERS : CHATTERS.slice(0, 9));
}

const PRODUCTS = [
  "OpenAI/Python",
  "ollama-python",
  "python-requests",
  "ollama-js",
  "curl",
  "Go-http-client",
  "axios",
  "LangChain",
  "ollama",
];

/** A program with a version, as the user agent begins. */
export function pickClient(draw: Draw): string {
  return newVersion(draw, draw.pick(PRODUCTS));
}

export function newVersion(draw: Draw, client: string): string {
  const product = client.replace(/\/\d[\d.]*$/, "");
  return product.includes("/") ? product : `${product}/${draw.whole(0, 3)}.${draw.whole(1, 30)}.${draw.whole(0, 9)}`;
}

/** Blocks of cloud providers, where runners and servers (and thieves) rent. */
const CLOUD = ["34.90", "35.204", "52.17", "3.121", "20.56", "51.15"];
/** Blocks of access providers, where people live (and thieves, too). */
const ACCESS = ["84.112", "91.64", "86.30", "77.8", "93.210", "178.4", "109.70", "82.95"];

/** A network: its addresses begin so. */
export function pickNetwork(draw: Draw, kind: "cloud" | "access" | "anywhere"): string {
  if (kind === "cloud") return `${draw.pick(CLOUD)}.${draw.whole(0, 255)}.`;
  if (kind === "access" && draw.chance(0.2)) return `2001:db8:${draw.whole(1, 65_535).toString(16)}::`;
  if (kind === "access") return `${draw.pick(ACCESS)}.${draw.whole(0, 255)}.`;
  return `${draw.whole(11, 223)}.${draw.whole(0, 255)}.${draw.whole(0, 255)}.`;
}

export function addressIn(draw: Draw, network: string): string {
  return network + (network.endsWith("::") ? draw.whole(1, 9_999).toString(16) : String(draw.whole(2, 250)));
}
