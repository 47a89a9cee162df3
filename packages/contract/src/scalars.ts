/** The small forms the contract's rows are made of. Grammar only: whether a named thing exists is decided by who owns it. */
import { z } from "zod";
import { isEnvironmentName, thinkLevels } from "@sallyport/protocol";
import { DURATION_FORM } from "./duration.ts";

export const environmentName = z
  .string()
  .refine((text): boolean => isEnvironmentName(text), "is not an environment name (a-z, 0-9, at most 16)")
  .meta({ pattern: "^[a-z][a-z0-9]{0,15}$" });
/** Public id of a key. */
export const keyId = z.string().regex(/^[0-9A-Za-z]{12}$/, "is not a key id (12 letters and digits)");
/** Id of a principal or an assignment. */
export const recordId = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, "is not an id");
/** A name for people to read: printable, no control characters, no blanks at the ends. */
export const displayName = z
  .string()
  .min(1, "is empty")
  .max(100, "is longer than 100 characters")
  .regex(/^[^\s\p{C}](?:[^\p{C}]*[^\s\p{C}])?$/u, "has control characters or blanks at its ends");
export const ROLE_NAME_FORM = /^[a-z][a-z0-9-]{0,62}$/;
export const roleName = z.string().regex(ROLE_NAME_FORM, "is not a role name (a-z, 0-9, -)");
export const groupName = displayName;

export const duration = z.string().regex(DURATION_FORM, "is not a duration such as 90d, 12h, 15m or 30s");
/** ISO 8601 in UTC, milliseconds written: `2026-01-31T12:00:00.000Z`. */
export const time = z.string();

/** `10.0.0.0/8`, `2001:db8::/32` or one address. The server judges its numbers; here only its characters. */
export const network = z
  .string()
  .max(64)
  .regex(/^[0-9A-Fa-f:.]+(?:\/(?:0|[1-9][0-9]{0,2}))?$/, "is not a network such as 10.0.0.0/8 or 2001:db8::/32");

/** A whole number in a query, where everything is text. */
export function queryNumber(min: number, max: number) {
  return z
    .union([z.number(), z.string().regex(/^[0-9]{1,15}$/, "is not a whole number")])
    .transform(Number)
    .refine((value) => value >= min && value <= max, `is not between ${min} and ${max}`)
    .meta({ type: "integer", minimum: min, maximum: max });
}

/**
 * Lists of names whose members are judged by the server against the present policy, so that every mistake in a request
 * is reported at once; here only their size is bounded.
 */
export const nameList = z.array(z.string().min(1).max(256)).max(64);

export const guard = z.strictObject({
  outputTokens: z.int().min(1).max(1_000_000_000).optional().describe("most tokens of one answer"),
  images: z.int().min(0).max(10_000).optional().describe("most images and recordings of one request"),
  contextTokens: z
    .int()
    .min(1)
    .max(10_000_000)
    .optional()
    .describe("largest num_ctx of a request; larger values are lowered (default: no value allowed; role cli: 32768)"),
  messages: z.int().min(1).max(1_000_000).optional().describe("most messages of one request; more are denied"),
  tools: z.int().min(0).max(10_000).optional().describe("most tools of one request; more are denied"),
  schemaBytes: z
    .int()
    .min(0)
    .max(64 * 1024 * 1024)
    .optional()
    .describe("largest JSON schema of a tool or of the response format, in bytes; larger ones are denied"),
  think: z
    .enum(thinkLevels)
    .optional()
    .describe("how much a request may make a model think: none, low, medium or high; more is lowered"),
  topLogprobs: z
    .int()
    .min(0)
    .max(1_000)
    .optional()
    .describe("most alternatives for each token of which the probabilities are returned; more are lowered"),
});
export type WrittenGuard = z.output<typeof guard>;

/** Hands out a key by a one-time delivery link instead of returning it. */
export const delivery = z.strictObject({
  ttl: duration.optional().describe("how long the delivery link can be opened; default 15m, at most 24h"),
  to: z
    .string()
    .regex(/^age1[0-9a-z]{50,4096}$/, "is no age public key (age1…)")
    .optional()
    .describe("age public key for which the delivered key is encrypted"),
  from: z.array(z.string().max(64)).max(64).optional().describe("networks from which it can be opened; default: any"),
});
export type Delivery = z.output<typeof delivery>;

export const nothing = z.strictObject({});
