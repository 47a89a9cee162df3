/**
 * A factor is a door besides the credential: no single door lets anybody in. An environment, a role, a permission and a
 * key may each demand some; what one of them demands, none of the others takes back.
 */
export const factors = ["network", "signature", "identity"] as const;
export type Factor = (typeof factors)[number];

export function isFactor(text: string): text is Factor {
  return factors.some((factor) => factor === text);
}
