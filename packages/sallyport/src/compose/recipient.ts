/** Opening of what was sealed to a recipient, for the command that receives it. */
import { Secret } from "../kernel/secret.ts";
import { openTextWith as open } from "../store/secrets/age-text.ts";

/** `identities`: the text of an age identity file. */
export async function openTextWith(identities: string, sealed: string): Promise<string> {
  return (await open(new Secret(identities), sealed)).reveal();
}
