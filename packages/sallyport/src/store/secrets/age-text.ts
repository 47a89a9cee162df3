/** A short secret in the age format (C2SP age v1), armored: for one recipient's public key. Loaded only when it is asked for. */
import { armor, Decrypter, Encrypter } from "age-encryption";
import { Problem } from "@sallyport/protocol";
import { Secret } from "../../kernel/secret.ts";

/** Throws `input_invalid` for what is no age public key. */
export async function sealTextTo(recipient: string, text: Secret): Promise<Secret> {
  const encrypter = new Encrypter();
  try {
    encrypter.addRecipient(recipient);
  } catch {
    throw new Problem("input_invalid", `${recipient} is no recipient: age1… is expected`);
  }
  return new Secret(armor.encode(await encrypter.encrypt(text.reveal())));
}

/** `identities` are the lines of an identity file. Throws `input_invalid` where none of them opens it. */
export async function openTextWith(identities: Secret, sealed: string): Promise<Secret> {
  const decrypter = new Decrypter();
  try {
    for (const line of identities.reveal().split(/\r?\n/)) {
      const identity = line.trim();
      if (identity !== "" && !identity.startsWith("#")) decrypter.addIdentity(identity);
    }
    return new Secret(await decrypter.decrypt(armor.decode(sealed), "text"));
  } catch {
    // Without the cause: it may quote the identity.
    throw new Problem(
      "input_invalid",
      "the link was encrypted to another recipient, or the identity file holds no key",
    );
  }
}
