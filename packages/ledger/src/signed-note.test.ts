import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { base64Of, bytesOfBase64 } from "./base64.ts";
import { formatCheckpoint, parseCheckpoint } from "./checkpoint.ts";
import {
  checkNote,
  cosignedText,
  formatSignedNote,
  formatVerifierKey,
  noteVerifier,
  parseSignedNote,
  parseVerifierKey,
  timedSignature,
} from "./signed-note.ts";
import { EMPTY_ROOT } from "./tree-hash.ts";
import { utf8Of } from "./utf8.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const verifyKey = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  const x = Buffer.from(publicKey).toString("base64url");
  return verify(null, message, createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" }), signature);
};

/** The example of C2SP's signed-note specification. */
const SPECIFIED_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const SPECIFIED_NOTE =
  "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

describe("the specification's example", () => {
  it("is genuine, and is written as it is read", () => {
    const key = parseVerifierKey(sha256, SPECIFIED_KEY)!;
    expect(formatVerifierKey(key)).toBe(SPECIFIED_KEY);
    const note = parseSignedNote(SPECIFIED_NOTE)!;
    expect(checkNote(verifyKey, note, key)).toEqual({ verdict: "genuine" });
    expect(formatSignedNote(note)).toBe(SPECIFIED_NOTE);
    const changed = parseSignedNote(SPECIFIED_NOTE.replace("example message", "example massage"))!;
    expect(checkNote(verifyKey, changed, key)).toEqual({ verdict: "forged" });
  });

  it.each([
    SPECIFIED_KEY.replace("530d903a", "530d903b"),
    SPECIFIED_KEY.replace("+Aeky", "+BOky"),
    SPECIFIED_KEY.slice(0, -4),
    SPECIFIED_KEY.replace("example.com/foo", "example.com/ foo"),
    "",
  ])("as a key, %j is none", (text) => {
    expect(parseVerifierKey(sha256, text)).toBeUndefined();
  });

  it.each([
    SPECIFIED_NOTE.slice(0, -1),
    SPECIFIED_NOTE.replace("\n\n", "\n"),
    SPECIFIED_NOTE.replace("— ", "- "),
    SPECIFIED_NOTE.replace("Uw2Q", "Uw2 Q"),
    `${SPECIFIED_NOTE}\n`,
    SPECIFIED_NOTE.replace("Uw2QOkn8", ""),
  ])("as a note, %j is not read or not genuine", (text) => {
    const note = parseSignedNote(text);
    const key = parseVerifierKey(sha256, SPECIFIED_KEY)!;
    expect(note && checkNote(verifyKey, note, key).verdict).not.toBe("genuine");
  });
});

describe("cosignatures", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.from(publicKey.export({ format: "jwk" }).x!, "base64url");
  const witness = noteVerifier(sha256, "witness.example/w1", "cosignature", raw);
  const text = formatCheckpoint({ origin: "sallyport/n/dev", size: 7, root: EMPTY_ROOT });
  const cosign = (time: number) => ({
    name: witness.name,
    keyId: witness.keyId,
    signature: timedSignature(time, sign(null, utf8Of(cosignedText(text, time)), privateKey)),
  });

  it("say when, and hold for that time and that text alone", () => {
    const note = { text, signatures: [cosign(1_679_315_147)] };
    expect(checkNote(verifyKey, note, witness)).toEqual({ verdict: "genuine", time: 1_679_315_147 });
    const later = timedSignature(1_679_315_148, note.signatures[0]!.signature.slice(8));
    expect(
      checkNote(verifyKey, { text, signatures: [{ ...note.signatures[0]!, signature: later }] }, witness).verdict,
    ).toBe("forged");
    expect(checkNote(verifyKey, { ...note, text: text.replace("\n7\n", "\n8\n") }, witness).verdict).toBe("forged");
  });

  it("are no plain signature of the same key, and the other way round", () => {
    const plain = noteVerifier(sha256, witness.name, "ed25519", raw);
    expect(plain.keyId).not.toBe(witness.keyId);
    const note = { text, signatures: [{ ...cosign(1), keyId: plain.keyId }] };
    expect(checkNote(verifyKey, note, plain).verdict).toBe("forged");
    expect(checkNote(verifyKey, note, witness).verdict).toBe("unsigned");
  });
});

describe("a checkpoint", () => {
  const body = "sallyport/n/dev\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
  const signature = "\n— x AAAAAAA=\n";
  it("is read with what others add to it", () => {
    expect(parseCheckpoint(`${body}${signature}`)).toMatchObject({
      origin: "sallyport/n/dev",
      size: 7,
      root: EMPTY_ROOT,
    });
    expect(parseCheckpoint(`${body}extension\n${signature}`)).toMatchObject({ size: 7 });
  });
  it.each([
    body.replace("7", "07"),
    body.replace("7", "-7"),
    body.replace("7", "7.0"),
    body.replace("47DE", "47D"),
    `\n${body}`,
    body.replace("sallyport/n/dev", ""),
    "a\n1\n",
  ])("is not read from %j", (text) => {
    expect(parseCheckpoint(`${text}${signature}`)).toBeUndefined();
  });
});

describe("base64", () => {
  it("comes back, and only in its one form", () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 89 + length) % 256);
      expect(base64Of(bytes)).toBe(Buffer.from(bytes).toString("base64"));
      expect(bytesOfBase64(base64Of(bytes))).toEqual(bytes);
    }
    for (const text of ["A", "AA", "AA=", "AB==", "AAB=", "AA==A", "AA-_", " AA=", "===="])
      expect(bytesOfBase64(text)).toBeUndefined();
  });
});
