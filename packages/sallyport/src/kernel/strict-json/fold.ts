/**
 * Key folding, as wide as any decoder's we know of: Go's encoding/json matches struct fields by simple case folding (so
 * U+212A is a k and U+017F an s), and its v2 experiment also ignores `-` and `_`.
 */
export function foldKey(key: string): string {
  return key.replaceAll(/[-_]/g, "").replaceAll("\u212a", "k").replaceAll("\u017f", "s").toLowerCase();
}
