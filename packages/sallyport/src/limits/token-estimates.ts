/**
 * How many tokens the characters of a prompt make, learned for each model from what its server reports. Budgets reserve by
 * it before a request begins; what it was wrong by is corrected when the request settles, and published.
 */

/** Four characters a token: the usual rough figure. */
const USUAL_RATIO = 0.25;
/** Reservations are a little larger than the mean, because what is reserved too small can pass a budget. */
const MARGIN = 1.25;
/** The template around a prompt is not in its characters. */
const TEMPLATE_TOKENS = 16;
const LEAST_CHARACTERS = 64;
const NEWEST = 0.1;
const MODELS_MAX = 1_024;
/** No tokenizer makes more than one token of a byte; a server that reports more is not believed. */
const RATIO_MAX = 4;

interface Learned {
  readonly environment: string;
  readonly model: string;
  ratio: number;
  errorRatio: number;
}

export class TokenEstimates {
  readonly #models = new Map<string, Learned>();

  inputTokens(environment: string, model: string, characters: number): number {
    const ratio = this.#models.get(`${environment} ${model}`)?.ratio ?? USUAL_RATIO;
    return Math.ceil(characters * ratio * MARGIN) + TEMPLATE_TOKENS;
  }

  /** `reported` by the model's server. */
  observe(environment: string, model: string, characters: number, reported: number): void {
    // Of a short prompt, nearly all tokens are the template's.
    if (characters < LEAST_CHARACTERS || reported <= 0) return;
    const name = `${environment} ${model}`;
    const known = this.#models.get(name);
    const ratio = Math.min(Math.max(0, reported - TEMPLATE_TOKENS) / characters, RATIO_MAX);
    const error = Math.abs((known?.ratio ?? USUAL_RATIO) * characters - reported) / reported;
    if (known) {
      known.ratio += NEWEST * (ratio - known.ratio);
      known.errorRatio += NEWEST * (error - known.errorRatio);
      return;
    }
    if (this.#models.size >= MODELS_MAX) this.#models.clear();
    this.#models.set(name, { environment, model, ratio, errorRatio: error });
  }

  /** Of each model: mean of |estimated - reported| / reported, newest first. */
  *errors(): Generator<[environment: string, model: string, errorRatio: number]> {
    for (const { environment, model, errorRatio } of this.#models.values()) yield [environment, model, errorRatio];
  }
}
