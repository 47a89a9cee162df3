/** Decrypts what was encrypted to a recipient, for the receiving command. */
import { Secret } from "../kernel/secret.ts";
import { openTextWith as open } from "../store/secrets/age-text.ts";

/** `identities`: the text of an age identity file. */
export async function openTextWith(identities: string, sealed: string): Promise<string> {
  return (await open(new Secret(identities), sealed)).reveal();
}
