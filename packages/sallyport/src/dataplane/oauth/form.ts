/** A form as OAuth's clients send it (RFC 6749 appendix B): each parameter once, bounded, UTF-8, nothing else in it. */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";

const PARAMETERS_MAX = 32;
const NAME = /^[a-z][a-z0-9_]{0,63}$/;

export type Form = ReadonlyMap<string, string>;

/** Empty values are skipped, as if they had not been sent (RFC 6749 section 3.2). */
export function readForm(body: Buffer, contentType: string | null): Form | Refusal {
  if (!/^application\/x-www-form-urlencoded(?:\s*;\s*charset=utf-8)?$/i.test((contentType ?? "").trim()))
    return refuse("media_type_unsupported");
  const form = new Map<string, string>();
  const parts = body.length === 0 ? [] : body.toString("latin1").split("&");
  if (parts.length > PARAMETERS_MAX) return refuse("form_malformed", "too many parameters");
  for (const part of parts) {
    const equals = part.indexOf("=");
    const name = decoded(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? "" : decoded(part.slice(equals + 1));
    if (name === undefined || value === undefined || !NAME.test(name)) return refuse("form_malformed");
    if (form.has(name)) return refuse("form_malformed", `${name} is repeated`);
    form.set(name, value);
  }
  for (const [name, value] of form) if (value === "") form.delete(name);
  return form;
}

/** Form encoding taken away; undefined for what is not in it. */
export function decoded(text: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(text)) return undefined;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
