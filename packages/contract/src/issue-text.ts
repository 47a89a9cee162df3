/** A schema's mistake as a sentence. For a value that is not allowed, it lists the allowed ones and suggests the nearest. */
import { didYouMean } from "@sallyport/protocol";

interface SchemaIssue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly values?: readonly unknown[];
}

/** `judged` is the whole that the schema read. */
export function issueText({ code, path, message, values = [] }: SchemaIssue, judged: unknown): string {
  const allowed = values.filter((value) => typeof value === "string");
  if (code !== "invalid_value" || allowed.length !== values.length || allowed.length < 2) return message;
  return `is not one of ${allowed.join(", ")}${didYouMean(valueAt(judged, path), allowed)}`;
}

function valueAt(judged: unknown, path: readonly PropertyKey[]): unknown {
  let at = judged;
  for (const step of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[step];
  }
  return at;
}
