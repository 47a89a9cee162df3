/**
 * The small values of SCIM messages, read strictly: vendor-specific forms are listed here, anything else is rejected.
 */
import { ScimRefused } from "./scim-refused.ts";

export type Members = Readonly<Record<string, unknown>>;

const TEXT_MAX = 256;
/** Printable, no blanks at the ends: it becomes the name of a person or a group. */
const NAME = /^[^\s\p{C}](?:[^\p{C}]*[^\s\p{C}])?$/u;
const NAME_MAX = 100;

export function membersOf(value: unknown, where: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ScimRefused("invalidValue", `${where} is not an object`);
  return value as Members;
}

/**
 * A value under its name, in whatever case it was written (RFC 7643, 2.1); a name that is written twice is rejected.
 * `undefined` and null are the same to SCIM.
 */
export function valueOf(members: Members, name: string): unknown {
  const found = Object.keys(members).filter((key) => key.toLowerCase() === name.toLowerCase());
  if (found.length > 1) throw new ScimRefused("invalidSyntax", `${name} comes twice`);
  return found[0] === undefined ? undefined : (members[found[0]] ?? undefined);
}

/** True and false; as text, only `True` and `False` in any case, because Entra ID writes them so. */
export function readActive(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  if (typeof value === "string" && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === "true";
  throw new ScimRefused("invalidValue", "active is neither true nor false");
}

export function readText(value: unknown, where: string): string {
  if (typeof value !== "string" || value === "" || value.length > TEXT_MAX || /\p{Cc}/u.test(value))
    throw new ScimRefused("invalidValue", `${where} is not a text of 1 to ${TEXT_MAX} printable characters`);
  return value;
}

/** A text that becomes a name here. */
export function readName(value: unknown, where: string): string {
  const text = readText(value, where);
  if (text.length > NAME_MAX || !NAME.test(text))
    throw new ScimRefused("invalidValue", `${where} is longer than ${NAME_MAX} characters or has blanks at its ends`);
  return text;
}

/** Nothing hostile gets near code that walks prototypes. */
export function refusePrototypes(value: unknown): void {
  if (Array.isArray(value)) for (const part of value) refusePrototypes(part);
  else if (typeof value === "object" && value !== null) {
    for (const [name, part] of Object.entries(value)) {
      if (name === "__proto__" || name === "constructor" || name === "prototype")
        throw new ScimRefused("invalidSyntax", `${name} is no attribute`);
      refusePrototypes(part);
    }
  }
}

export interface PatchStep {
  readonly op: "add" | "remove" | "replace";
  /** Without the core schema's prefix; null where the value's own names say it. */
  readonly path: string | null;
  readonly value: unknown;
}

const PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const STEPS_MAX = 100;

/** The operations of a PATCH (RFC 7644, 3.5.2), brought into one spelling; `core` is the schema whose prefix may stand before a path. */
export function readPatch(body: unknown, core: string): readonly PatchStep[] {
  refusePrototypes(body);
  const message = membersOf(body, "the message");
  const schemas = valueOf(message, "schemas");
  if (!Array.isArray(schemas) || schemas.length !== 1 || schemas[0] !== PATCH)
    throw new ScimRefused("invalidSyntax", `schemas is not exactly ${PATCH}`);
  const operations = valueOf(message, "Operations");
  if (!Array.isArray(operations) || operations.length === 0)
    throw new ScimRefused("invalidSyntax", "there are no Operations");
  if (operations.length > STEPS_MAX) throw new ScimRefused("tooMany", `more than ${STEPS_MAX} Operations`);
  return operations.map((operation) => readStep(membersOf(operation, "an operation"), core));
}

function readStep(operation: Members, core: string): PatchStep {
  const written = valueOf(operation, "op");
  const op = typeof written === "string" ? written.toLowerCase() : "";
  if (op !== "add" && op !== "remove" && op !== "replace")
    throw new ScimRefused("invalidSyntax", "op is not add, remove or replace");
  const at = valueOf(operation, "path");
  if (at !== undefined && typeof at !== "string") throw new ScimRefused("invalidPath", "path is not a text");
  const path = at === undefined || at === "" ? null : at.startsWith(`${core}:`) ? at.slice(core.length + 1) : at;
  const value = valueOf(operation, "value");
  if (op === "remove" && path === null) throw new ScimRefused("noTarget", "remove without a path");
  if (op !== "remove" && value === undefined) throw new ScimRefused("invalidValue", `${op} without a value`);
  return { op, path, value };
}
