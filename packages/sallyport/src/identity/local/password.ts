/**
 * The rules for passwords (NIST SP 800-63B): long, not the user's name, not one of the most common; no composition
 * rules.
 */
import { Secret } from "../../kernel/secret.ts";

const LENGTH_MIN = 12;
export const LENGTH_MAX = 128;
const DIFFERENT_MIN = 5;

/** The commonest of that length: what is left of them without digits at the ends is looked for. */
const COMMON = new Set([
  "password", "passwordpassword", "passw0rd", "p@ssword", "p@ssw0rd", "qwerty", "qwertyuiop", "qwertyqwerty", "asdfghjkl",
  "qwertyuiopasdf", "qwertyuiopasdfgh", "zxcvbnm", "qazwsxedcrfv", "qazwsxedc", "iloveyou", "iloveyouiloveyou", "letmein",
  "letmeinletmein", "welcome", "welcomewelcome", "administrator", "adminadmin", "adminadminadmin", "sallyport", "changeme",
  "changemechangeme", "trustno", "correcthorsebatterystaple", "abcdefghijkl", "abcdefghijklm", "abcdefghijklmnop",
]); // prettier-ignore

/** One spelling of what may be typed in several (RFC 8265 section 4.2: NFKC here, so that full width is no other word). */
export function normalizePassword(text: string): Secret {
  return new Secret(text.normalize("NFKC"));
}

/** Why it may not be one; undefined where it may. */
export function refusePassword(password: Secret, name: string): string | undefined {
  const text = password.reveal();
  const characters = Array.from(text);
  if (characters.length < LENGTH_MIN) return `it must have at least ${LENGTH_MIN} characters`;
  if (characters.length > LENGTH_MAX) return `it may have at most ${LENGTH_MAX} characters`;
  const folded = text.toLowerCase();
  const isCommon =
    new Set(characters).size < DIFFERENT_MIN ||
    "01234567890123456789".includes(text) ||
    COMMON.has(withoutDigitsAtEnds(folded));
  if (isCommon) return "it is one of those that are tried first";
  const own = name.normalize("NFKC").toLowerCase();
  return folded === own || folded === own.repeat(2) ? "it must not be the name" : undefined;
}

function withoutDigitsAtEnds(text: string): string {
  const isDigit = (at: number): boolean => "0123456789!?.".includes(text.charAt(at));
  let start = 0;
  let end = text.length;
  while (start < end && isDigit(start)) start++;
  while (end > start && isDigit(end - 1)) end--;
  return text.slice(start, end);
}
