/**
 * The library of JSON Web Tokens (46 files), loaded with the first token and not with the program: who uses keys only never
 * waits for it, and nobody's start does.
 */
let loading: Promise<typeof import("jose")> | undefined;

export function jose(): Promise<typeof import("jose")> {
  return (loading ??= import("jose"));
}
