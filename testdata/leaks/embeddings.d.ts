/** Writes a key as it leaks; `noise` is base62 text. */
export type Embed = (key: string, noise: string) => Buffer;
export const embeddings: Readonly<Record<string, Embed>>;
