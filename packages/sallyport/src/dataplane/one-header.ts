/** The value of a header that may come once: null where it is absent, undefined where it comes twice. */
export function oneHeader(rawHeaders: readonly string[], name: string): string | null | undefined {
  let found: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const said = rawHeaders[i]!;
    if (said.length !== name.length || said.toLowerCase() !== name) continue;
    if (found !== null) return undefined;
    found = rawHeaders[i + 1]!;
  }
  return found;
}
