/**
 * A factor is required in addition to the credential: none suffices alone. An environment, a role, a permission and a
 * key may each require some; none relaxes what another requires.
 */
export const factors = ["network", "signature", "identity"] as const;
export type Factor = (typeof factors)[number];

export function isFactor(text: string): text is Factor {
  return factors.some((factor) => factor === text);
}
