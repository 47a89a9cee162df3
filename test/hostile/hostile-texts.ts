/** Texts that make parsers slow: long, nested, repeated and escaped ones, around what the parser would accept. The same seed makes the same texts. */

const UNITS = [
  '"', "\\", "\\n", "\\u0041", "\\\\", "[", "]", "{", '{"a":', '[{"a":', ",", "=", "==", "/", "//", "../", "1", "1s", "111111111111111s", "1.", "0.",
  "-", "--", ".", "..", " ", "\t", "a", "a=", "a b", ";", "; ", ":", "::", "%41", "%", "é", "\u2028", "\u{1f600}", "\0", "\r\n", "\n", "data:", "data: {}\n\n",
  '"a":1,', '"a":"\\"",', "(", ")", "AAAA", "eyJ", "a.b.", "sp_", "a/", "a:b@", "10.0.0.1, ", "::1,", "[::", "sig1=(", '"@method" ', "keyid=", "bytes=", "*", "+", "|", "<", "&", "&a=1", "#", "!", "~", "_",
] as const; // prettier-ignore

/** A pseudo random source (mulberry32): the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One hostile text of at most `lengthMax` characters. `sample` is a text that the parser accepts. */
export function hostileText(random: () => number, sample: string, lengthMax: number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  // Half are short, some reach the bound.
  const length = Math.floor(10 ** (1 + random() * (Math.log10(lengthMax) - 1)));
  const unit = random() < 0.3 ? pick(UNITS) + pick(UNITS) : pick(UNITS);
  const run = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
  const at = Math.floor(random() * (sample.length + 1));
  switch (Math.floor(random() * 5)) {
    case 0:
      return run;
    case 1:
      return run + pick(UNITS);
    case 2:
      return (sample.slice(0, at) + run + sample.slice(at)).slice(0, lengthMax);
    case 3:
      return (sample.slice(0, at) + run).slice(0, lengthMax);
    default:
      return sample === "" ? run : sample.repeat(Math.ceil(length / sample.length)).slice(0, length) + pick(UNITS);
  }
}
