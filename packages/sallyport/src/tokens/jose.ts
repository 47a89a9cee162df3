/**
 * The library for JSON Web Tokens (46 files), loaded with the first token and not at start: a gateway that only uses
 * keys never loads it.
 */
let loading: Promise<typeof import("jose")> | undefined;

export function jose(): Promise<typeof import("jose")> {
  return (loading ??= import("jose"));
}
