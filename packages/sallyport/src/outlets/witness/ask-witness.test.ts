import { generateKeyPairSync, hash, sign, verify } from "node:crypto";
import { expect, it } from "vitest";
import { cosignedText, formatCheckpoint, formatSignedNote, noteVerifier, timedSignature } from "@sallyport/ledger";
import { askWitness, LogRefused } from "./ask-witness.ts";
import type { AskPorts, ProveGrowth } from "./ask-witness.ts";

const pair = generateKeyPairSync("ed25519");
const raw = Buffer.from(pair.publicKey.export({ format: "jwk" }).x!, "base64url");
const sha256 = (bytes: Uint8Array): string => hash("sha256", bytes, "hex");
const witness = noteVerifier(sha256, "w.example", "cosignature", raw);
const check: AskPorts["verify"] = (_, message, signature) => verify(null, message, pair.publicKey, signature);

const root = "a".repeat(64);
const text = formatCheckpoint({ origin: "node.example/dev", size: 9, root });
const checkpoint = formatSignedNote({
  text,
  signatures: [{ name: "node.example/dev", keyId: "0a0b0c0d", signature: new Uint8Array(64) }],
});

function cosignature(of: string): string {
  const signature = timedSignature(1_000, sign(null, Buffer.from(cosignedText(of, 1_000)), pair.privateKey));
  const { keyId, name } = witness;
  const note = formatSignedNote({ text: of, signatures: [{ name, keyId, signature }] });
  return note.slice(note.lastIndexOf("\n", note.length - 2) + 1);
}

function always(of: string): ProveGrowth {
  return () => Promise.resolve({ checkpoint: of, path: [] });
}

/** Answers one after another; what was asked, by its first line. */
async function ask(answers: readonly [number, string][], prove = always(checkpoint), size = 0) {
  const asked: string[] = [];
  const left = [...answers];
  const send: AskPorts["send"] = ({ url, body = "" }) => {
    asked.push(`${url} ${body.slice(0, body.indexOf("\n"))}`);
    const [status, said] = left.shift()!;
    return Promise.resolve({ status, text: said });
  };
  const place = { url: "https://w.example/base", witness };
  const done = askWitness({ send, verify: check }, place, prove, size);
  return { asked, end: await done.catch((cause: unknown) => cause) };
}

it("gives the checkpoint with the cosignature", async () => {
  const { asked, end } = await ask([[200, cosignature(text)]]);
  expect(asked).toEqual(["https://w.example/base/add-checkpoint old 0"]);
  expect(end).toBe(checkpoint + cosignature(text));
});

it("asks again with the size the witness knows", async () => {
  const { asked, end } = await ask([
    [409, "4\n"],
    [200, cosignature(text)],
  ]);
  expect(asked.map((one) => one.split(" ").slice(1).join(" "))).toEqual(["old 0", "old 4"]);
  expect(typeof end).toBe("string");
});

it("a log that grew while it was asked, and was cosigned for somebody else, is not refused", async () => {
  const older = checkpoint.replace("\n9\n", "\n7\n");
  const proved: number[] = [];
  const prove: ProveGrowth = (size) => {
    proved.push(size);
    return Promise.resolve({ checkpoint: proved.length === 1 ? older : checkpoint, path: [] });
  };
  const { end } = await ask(
    [
      [409, "8\n"],
      [200, cosignature(text)],
    ],
    prove,
    5,
  );
  expect([end, proved]).toEqual([checkpoint + cosignature(text), [5, 0, 8]]);
});

it.each([
  ["a log that does not go on", [[422, ""]]],
  ["a log that is shorter than the witness knows it", [[409, "10\n"]]],
] as const)("%s is refused", async (_, answers) => {
  expect((await ask(answers as never)).end).toBeInstanceOf(LogRefused);
});

it.each([
  ["a cosignature of something else", [[200, cosignature(text.replace("9", "8"))]]],
  ["no cosignature", [[200, "ok\n"]]],
  ["an error", [[500, ""]]],
  ["a log it does not know", [[404, ""]]],
  ["a size that is none", [[409, "many\n"]]],
  [
    "sizes without end",
    [
      [409, "1\n"],
      [409, "2\n"],
      [409, "3\n"],
    ],
  ],
] as const)("%s is no answer", async (_, answers) => {
  const { end } = await ask(answers as never);
  expect(end).toMatchObject({ code: "conflict" });
  expect(end).not.toBeInstanceOf(LogRefused);
});
