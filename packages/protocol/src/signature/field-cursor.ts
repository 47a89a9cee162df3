/**
 * Reads the part of structured fields (RFC 9651, before it RFC 8941) that signed requests use, and of that only the
 * spelling a serialiser writes (section 4.1): no free white space, no escapes, no leading zeros, base64 with its padding.
 * A text then has one meaning and one spelling, and what was signed is the text itself.
 */
const KEY = /[a-z*][a-z0-9_\-.*]{0,63}/y;
const STRING = /"([\x20\x21\x23-\x5b\x5d-\x7e]{0,256})"/y;
const INTEGER = /(?:0|[1-9][0-9]{0,14})(?![0-9.])/y;
const BYTES = /:((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?):/y;

/** Each reader answers undefined, and stays where it is, when what comes next is not of its kind. */
export class FieldCursor {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  isAtEnd(): boolean {
    return this.at === this.text.length;
  }

  take(literal: string): boolean {
    if (!this.text.startsWith(literal, this.at)) return false;
    this.at += literal.length;
    return true;
  }

  /** A key (section 3.1.2), 64 characters at most. */
  key(): string | undefined {
    return this.#match(KEY)?.[0];
  }

  /** A string (section 3.3.3) without escapes, 256 characters at most. */
  string(): string | undefined {
    return this.#match(STRING)?.[1];
  }

  /** A natural number of 15 digits at most (section 3.3.1). */
  integer(): number | undefined {
    const found = this.#match(INTEGER);
    return found && Number(found[0]);
  }

  /** A byte sequence (section 3.3.5), as its base64 text. */
  bytes(): string | undefined {
    return this.#match(BYTES)?.[1];
  }

  #match(form: RegExp): RegExpExecArray | undefined {
    form.lastIndex = this.at;
    const found = form.exec(this.text);
    if (!found) return undefined;
    this.at = form.lastIndex;
    return found;
  }
}
