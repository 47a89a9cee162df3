/**
 * The text of a credential: `sp_<environment>_<id: 12 base62>_<secret: 43 base62><crc32: 6 base62>`. The checksum
 * covers everything before it, so editing `dev` to `prod` fails before any lookup. Parsing is offline and total: it
 * returns what the text contains, or undefined for anything that is not exactly of this form.
 */
import { crc32 } from "./crc32.ts";

/** Kinds by prefix: API key, admin key, delivery link, edge enrolment, URL token. */
export const keyPrefixes = { sp: "api", spa: "admin", spt: "ticket", spe: "enrolment", spp: "path" } as const;
export type KeyPrefix = keyof typeof keyPrefixes;
export type KeyKind = (typeof keyPrefixes)[KeyPrefix];

export const KEY_ID_LENGTH = 12;
export const KEY_SECRET_LENGTH = 43;
const CHECK_LENGTH = 6;
/** Longest possible credential text, in characters. */
export const KEY_TEXT_MAX = 3 + 1 + 16 + 1 + KEY_ID_LENGTH + 1 + KEY_SECRET_LENGTH + CHECK_LENGTH;

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const FORM = /^(?:spa?|spt|spe|spp)_[a-z][a-z0-9]{0,15}_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/;
/**
 * For scanners that know patterns only: finds credentials inside other text, whatever stands beside them. What it finds
 * is a credential only if `parseKeyText()` agrees. Code of ours calls `findKeys()` or `keysInText()` instead.
 */
export const KEY_PATTERN = /sp[atep]?_[a-z][a-z0-9]{0,15}_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}/g;
const ENVIRONMENT = /^[a-z][a-z0-9]{0,15}$/;

export interface KeyText {
  readonly kind: KeyKind;
  readonly environment: string;
  readonly id: string;
}

/**
 * The name of an environment, or of the realm `system`. Only `isEnvironmentName()` makes one, so text that a caller sent
 * cannot become the name of a log, a folder or a file.
 */
export type EnvironmentName = string & { readonly [environmentName]: true };
declare const environmentName: unique symbol;

/** Where what belongs to no environment is: administrators' keys, people, the gateway's own records. No environment has this name. */
export const SYSTEM_REALM = "system";

/** `text` is of the grammar of environment names. */
export function isEnvironmentName(text: string): text is EnvironmentName {
  return ENVIRONMENT.test(text);
}

function checksum(text: string, length: number): string {
  let value = crc32(text, length);
  let out = "";
  for (let i = 0; i < CHECK_LENGTH; i++) {
    out = BASE62[value % 62]! + out;
    value = Math.floor(value / 62);
  }
  return out;
}

/** Whether the text ends with the checksum of all before it. */
function isChecksum(text: string): boolean {
  let value = crc32(text, text.length - CHECK_LENGTH);
  for (let i = 1; i <= CHECK_LENGTH; i++) {
    if (text.charCodeAt(text.length - i) !== BASE62.charCodeAt(value % 62)) return false;
    value = Math.floor(value / 62);
  }
  return true;
}

/** As far as its id, and what there is of its secret. */
const BEGUN = /sp[atep]?_[a-z][a-z0-9]{0,15}_([0-9A-Za-z]{12})(?:_[0-9A-Za-z]*)?/g;

/**
 * The text with each credential in it, whole or not, replaced by its id, which is no secret: for what people type to find
 * a key, before it is sent or becomes part of an address.
 */
export function withoutSecret(text: string): string {
  return text.replaceAll(BEGUN, (_, id: string) => id);
}

/** Writes a credential. `secret` is 43 base62 characters of fresh randomness (more than 256 bits). */
export function formatKeyText(prefix: KeyPrefix, environment: string, id: string, secret: string): string {
  const body = `${prefix}_${environment}_${id}_${secret}`;
  const text = body + checksum(body, body.length);
  if (!FORM.test(text)) throw new RangeError("not the parts of a credential");
  return text;
}

/** What the text says of itself, or undefined when it is not a credential of ours or its checksum does not fit. */
export function parseKeyText(text: string): KeyText | undefined {
  if (text.length > KEY_TEXT_MAX) return undefined;
  if (!FORM.test(text) || !isChecksum(text)) return undefined;
  // The form is known, so its parts are where its marks are: this is done for every request, and groups cost as much again.
  const prefixEnd = text.indexOf("_");
  const environmentEnd = text.indexOf("_", prefixEnd + 1);
  return {
    kind: keyPrefixes[text.slice(0, prefixEnd) as KeyPrefix],
    environment: text.slice(prefixEnd + 1, environmentEnd),
    id: text.slice(environmentEnd + 1, environmentEnd + 1 + KEY_ID_LENGTH),
  };
}
