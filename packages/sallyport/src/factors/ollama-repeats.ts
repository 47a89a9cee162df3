/**
 * The CLI's signatures are equal for equal calls within a second, and `ollama run` makes the same call more than once,
 * so a repetition cannot be rejected as such. A signature may come a few times, for a few seconds, from the address it
 * first came from. From elsewhere, or later, it is a stolen copy.
 */
import { KeptUntil } from "../kernel/kept-until.ts";
import { OLLAMA_SIGNATURES } from "../kernel/shared-resources.ts";
import type { ShareRules } from "../kernel/shares.ts";
import { OLLAMA_AGE_SECONDS, OLLAMA_AHEAD_SECONDS } from "./ollama-signature.ts";
import type { OllamaSignature } from "./ollama-signature.ts";

/** Scripts start a dozen `ollama run` at once, and each signs the same call in the same second. */
export const OLLAMA_REPEATS_MAX = 64;
/** Calls that only read change nothing however often they come. */
export const OLLAMA_READ_REPEATS_MAX = 1_024;
export const OLLAMA_REPEAT_MS = 10_000;

export type OllamaRepeatFailure = "elsewhere" | "late" | "too_often" | "before_start" | "expired" | "key_full" | "full";

interface Use {
  readonly address: string;
  readonly firstAt: number;
  times: number;
}

/** The signed text of a call that only reads: `GET,/api/tags?ts=…`. */
const READS = /^(?:GET|HEAD),|^POST,\/api\/show\?/;

export interface OllamaRepeatsOptions {
  readonly shares?: ShareRules<"owner">;
  /** Epoch ms. */
  readonly startedAt: number;
}

export class OllamaRepeats {
  readonly #startedAt: number;
  readonly #kept: KeptUntil<Use>;

  constructor({ startedAt, shares = OLLAMA_SIGNATURES }: OllamaRepeatsOptions) {
    this.#startedAt = startedAt;
    this.#kept = new KeptUntil<Use>(shares);
  }

  /**
   * Counts this use, or returns why it must be rejected. Only for verified signatures of a known key. `owner` is that
   * API key: it has one share of the memory, no matter how many public keys are registered for it.
   */
  take(
    { fingerprint, ts, text }: OllamaSignature,
    owner: string,
    address: string,
    now: number,
  ): OllamaRepeatFailure | undefined {
    if (ts * 1000 <= this.#startedAt + OLLAMA_AHEAD_SECONDS * 1000) return "before_start";
    const until = (ts + OLLAMA_AGE_SECONDS) * 1000;
    // The time that never goes back: a clock set back opens nothing again.
    const at = this.#kept.advance(now);
    if (until < at) return "expired";
    // The text and not the signature's bytes: the holder of the key could create other signatures for the same text.
    const id = `${fingerprint}\n${text}`;
    const use = this.#kept.get(owner, id);
    if (!use) {
      const said = this.#kept.put(owner, id, { address, firstAt: at, times: 1 }, until);
      return said === "kept" ? undefined : said === "full" ? "full" : "key_full";
    }
    if (use.address !== address) return "elsewhere";
    if (at - use.firstAt > OLLAMA_REPEAT_MS) return "late";
    if (use.times >= (READS.test(text) ? OLLAMA_READ_REPEATS_MAX : OLLAMA_REPEATS_MAX)) return "too_often";
    use.times++;
    return undefined;
  }
}
