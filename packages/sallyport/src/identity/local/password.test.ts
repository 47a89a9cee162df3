import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "../../kernel/secret.ts";
import { derive } from "./hash-thread.ts";
import { hashInvitation, newInvitation } from "./enrolment.ts";
import { normalizePassword, refusePassword } from "./password.ts";
import { isBelowPresent, PRESENT_COST, readPhc, writePhc } from "./password-hash.ts";
import { PasswordHasher } from "./password-hasher.ts";

const GOOD = "a sentence of mine, 7 times";
const CHEAP = { memoryKib: 64, passes: 1, lanes: 1, salt: Buffer.alloc(16, 7) };

describe("a password", () => {
  it.each([
    ["short-pass1", "at least 12"],
    ["x".repeat(3).concat("abcdefghi".repeat(15)), "at most 128"],
    ["aaaaaaaaaaaaaaaa", "tried first"],
    ["Password1234!", "tried first"],
    ["123456789012", "tried first"],
    ["Ada of the lab", "the name"],
  ])("%s is refused", (text, why) => {
    expect(refusePassword(new Secret(text), "Ada of the Lab")).toContain(why);
  });

  it("is counted in characters and has one spelling", () => {
    expect(refusePassword(new Secret("🐎🔋📎🌲🐎🔋📎🌲🐎🔋📎🎲"), "Ada")).toBeUndefined();
    expect(refusePassword(new Secret("🐎🔋📎🌲🐎🔋"), "Ada")).toContain("at least");
    expect(normalizePassword("ｐａｓｓ ﬁ").reveal()).toBe("pass fi");
    expect(String(normalizePassword(GOOD))).toBe("***");
  });
});

describe("its hash", () => {
  it("is Argon2id as others compute it (vector of the reference implementation)", async () => {
    const hash = await derive("password", {
      memoryKib: 65_536,
      passes: 2,
      lanes: 1,
      salt: Buffer.from("somesalt"),
    });
    expect(Buffer.from(hash).toString("hex")).toBe("09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7");
  });

  it("reads back what was written, and nothing else", async () => {
    const phc = writePhc({ ...CHEAP, hash: await derive(GOOD, CHEAP) });
    expect(writePhc(readPhc(phc)!)).toBe(phc);
    for (const hostile of [
      "",
      phc.replace("argon2id", "argon2i"),
      phc.replace("v=19", "v=16"),
      phc.replace("m=64", "m=064"),
      phc.replace("m=64", "m=4194304"),
      phc.replace("m=64", "m=7"),
      phc.replace("t=1", "t=99"),
      phc.replace("t=1", "t=0"),
      phc.replace("p=1", "p=17"),
      phc.replace("m=64,t=1", "t=1,m=64"),
      `${phc}$`,
      `${phc}\n`,
      phc.slice(0, -1),
      `${phc.slice(0, -1)}=`,
    ])
      expect(readPhc(hostile), hostile).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = readPhc(text);
        return read === undefined || writePhc(read) === text;
      }),
    );
  });

  it("is verified, and is old where it asks less than today's", async () => {
    const hasher = new PasswordHasher(derive);
    const phc = (await hasher.hash(new Secret(GOOD), "n"))!;
    expect(readPhc(phc)).toMatchObject(PRESENT_COST);
    expect(phc).not.toBe(await hasher.hash(new Secret(GOOD), "n"));
    expect(await hasher.verify(new Secret(GOOD), phc, "n")).toEqual({ isRight: true, isOld: false });
    expect(await hasher.verify(new Secret(`${GOOD}.`), phc, "n")).toEqual({ isRight: false, isOld: false });
    const cheap = writePhc({ ...CHEAP, hash: await derive(GOOD, CHEAP) });
    expect(isBelowPresent(readPhc(cheap)!)).toBe(true);
    expect(await hasher.verify(new Secret(GOOD), cheap, "n")).toEqual({ isRight: true, isOld: true });
    expect(await hasher.verify(new Secret(GOOD), "$argon2id$nonsense", "n")).toEqual({ isRight: false, isOld: false });
  });

  it("is computed one at a time, and only some wait", async () => {
    let running = 0;
    let most = 0;
    let release!: () => void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const hasher = new PasswordHasher(async () => {
      most = Math.max(most, ++running);
      await gate;
      running--;
      return new Uint8Array(32);
    });
    const asked = Array.from({ length: 30 }, () => hasher.hash(new Secret(GOOD), "n"));
    const others = Array.from({ length: 30 }, (_, i) => hasher.hash(new Secret(GOOD), `other ${i % 2}`));
    // The last places are for those who have none yet.
    const late = hasher.hash(new Secret(GOOD), "late");
    release();
    const count = async (list: readonly Promise<string | undefined>[]): Promise<number> =>
      (await Promise.all(list)).filter((one) => one !== undefined).length;
    expect([await count(asked), await count(others), await count([late]), most]).toEqual([8, 8, 1, 1]);
    expect(await hasher.hash(new Secret(GOOD), "n")).toBeDefined();
  });
});

describe("an invitation", () => {
  it("cannot be guessed, prints nothing, and is found by its hash however it was copied", () => {
    const code = newInvitation();
    expect(String(code)).toBe("***");
    expect(hashInvitation(` ${code.reveal().slice(0, 9)} ${code.reveal().slice(9)}\n`)).toBe(
      hashInvitation(code.reveal()),
    );
    expect(hashInvitation(code.reveal().slice(1))).toBeUndefined();
    expect(hashInvitation("")).toBeUndefined();
  });
});
