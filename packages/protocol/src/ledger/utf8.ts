/** A text's bytes. The encoder is the one global this package needs that the language itself does not have; every browser and Node have it. */
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

const encoder = new TextEncoder();

export function utf8Of(text: string): Uint8Array {
  return encoder.encode(text);
}
