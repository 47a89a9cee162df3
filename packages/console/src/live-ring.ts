/** The newest requests, at most so many, and how many more there were: what a tab keeps of a stream that never ends. */
import type { LiveRequest } from "@sallyport/contract";

export const RING_MAX = 2_000;

export interface LiveFilter {
  readonly environment?: string | undefined;
  readonly outcome?: string | undefined;
  /** The model's name, or a piece of it. */
  readonly model?: string | undefined;
  /** The key's id, or a piece of its name. */
  readonly key?: string | undefined;
}

export class LiveRing {
  /** By number modulo its length. */
  readonly #kept: LiveRequest[] = [];
  /** Of all that came. */
  #count = 0;
  #left = 0;

  /** `left`: more of them happened, and did not come. */
  add(requests: readonly LiveRequest[], left: number): void {
    for (const request of requests) this.#kept[this.#count++ % RING_MAX] = request;
    this.#left += left;
  }

  get kept(): number {
    return Math.min(this.#count, RING_MAX);
  }

  /** How many happened and did not come. */
  get left(): number {
    return this.#left;
  }

  /** The newest first, at most `most`, with how many of those that are kept match. */
  newest(filter: LiveFilter, most: number): { readonly shown: readonly LiveRequest[]; readonly matching: number } {
    const shown: LiveRequest[] = [];
    let matching = 0;
    for (let at = this.#count - 1; at >= this.#count - this.kept; at--) {
      const request = this.#kept[at % RING_MAX]!;
      if (!fits(request, filter)) continue;
      matching++;
      if (shown.length < most) shown.push(request);
    }
    return { shown, matching };
  }

  /** The outcomes that are among them. */
  outcomes(): readonly string[] {
    return [...new Set(this.#kept.map(({ outcome }) => outcome))].toSorted();
  }
}

function fits(request: LiveRequest, { environment, outcome, model, key }: LiveFilter): boolean {
  if (environment && request.environment !== environment) return false;
  if (outcome && request.outcome !== outcome) return false;
  if (model && !(request.model ?? "").includes(model)) return false;
  return !key || request.key === key || request.keyName.toLowerCase().includes(key.toLowerCase());
}
