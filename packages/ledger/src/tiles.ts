/** Where a log's hashes and entries lie (C2SP tlog-tiles): 256 to a file, and how entries are written in one. */
export const TILE_WIDTH = 256;
/** Bytes an entry may have: its length is written in two. */
export const ENTRY_BYTES_MAX = 65_535;

/** `x001/x234/067` for 1234067. */
function tileIndex(n: number): string {
  const parts = [String(n % 1000).padStart(3, "0")];
  for (let left = Math.floor(n / 1000); left > 0; left = Math.floor(left / 1000))
    parts.unshift(`x${String(left % 1000).padStart(3, "0")}`);
  return parts.join("/");
}

/** `level` is a number, or `entries` for a bundle of entries; `width` from 1 to 256. */
export function tilePath(level: number | "entries", n: number, width: number): string {
  return `tile/${level}/${tileIndex(n)}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}

export interface TilePlace {
  readonly level: number | "entries";
  readonly n: number;
  readonly width: number;
}

/** Every file a tree of `size` leaves has, hashes and entries, lowest level first. */
export function* tilesOf(size: number): Generator<TilePlace> {
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_WIDTH)) {
    for (let n = 0; n * TILE_WIDTH < count; n++) {
      const width = Math.min(TILE_WIDTH, count - n * TILE_WIDTH);
      if (level === 0) yield { level: "entries", n, width };
      yield { level, n, width };
    }
  }
}

/** Entries with their lengths before them, big-endian. Throws a RangeError for an entry that is too long. */
export function formatBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(entries.reduce((sum, { length }) => sum + 2 + length, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > ENTRY_BYTES_MAX) throw new RangeError("an entry is longer than a bundle can say");
    bytes[at] = entry.length >> 8;
    bytes[at + 1] = entry.length & 255;
    bytes.set(entry, at + 2);
    at += 2 + entry.length;
  }
  return bytes;
}

/** The entries of a bundle; undefined where a length leads beyond its end. */
export function parseBundle(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
    if (at + 2 + length > bytes.length) return undefined;
    entries.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return entries;
}
