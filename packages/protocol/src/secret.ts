/** A secret that cannot print itself: every way of turning it into text gives `***`. */

/** What `util.inspect` and `console.log` ask for; the symbol's registered name, so that nothing of Node is needed. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself. Call it only where the secret is used, and never keep the result. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return "***";
  }

  toJSON(): string {
    return "***";
  }

  [INSPECT](): string {
    return "***";
  }
}
