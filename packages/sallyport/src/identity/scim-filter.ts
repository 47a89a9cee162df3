/**
 * The filters that provisioning clients send (RFC 7644, 3.4.2.2): equalities of known attributes, joined by `and`.
 * Everything else that the grammar permits is rejected: a misunderstood filter makes a client take one user for
 * another.
 */
import { ScimRefused } from "./scim-refused.ts";

export interface Equality {
  readonly attribute: string;
  readonly value: string;
}

const EQUALITY =
  /^\s*([A-Za-z][A-Za-z.]*|emails\[type eq "work"\]\.value)\s+eq\s+("(?:[^"\\\u0000-\u001f]|\\["\\/])*")\s*/i;
const TEXT_MAX = 1_024;
const EQUALITIES_MAX = 4;

/** `attributes` are those the resource can be found by, in lower case. */
export function readFilter(text: string, attributes: readonly string[]): readonly Equality[] {
  const found: Equality[] = [];
  let rest = text;
  for (;;) {
    const one = EQUALITY.exec(rest);
    const attribute = one?.[1]?.toLowerCase() ?? "";
    if (!one || text.length > TEXT_MAX || !attributes.includes(attribute) || found.length === EQUALITIES_MAX)
      throw new ScimRefused(
        "invalidFilter",
        `a filter is ATTRIBUTE eq "VALUE", of ${attributes.join(", ")}, joined by and`,
      );
    found.push({ attribute, value: JSON.parse(one[2] ?? '""') as string });
    rest = rest.slice(one[0].length);
    if (rest === "") return found;
    const and = /^and\s+/i.exec(rest);
    if (!and) throw new ScimRefused("invalidFilter", "only `and` joins what a filter asks");
    rest = rest.slice(and[0].length);
  }
}
