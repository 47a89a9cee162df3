import { isRefusal } from "@sallyport/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { TOTP } from "otpauth";
import type { Change } from "../../changes/change.ts";
import type { Principal } from "../../access/policy.ts";
import { Principals } from "../../access/principals.ts";
import { Secret } from "../../kernel/secret.ts";
import { derive } from "./hash-thread.ts";
import { GuessDelay } from "./guess-delay.ts";
import { openLocal, sealLocal } from "./local-login.ts";
import type { LocalLogin } from "./local-login.ts";
import { LocalLogins } from "./local-logins.ts";
import { newOtpSecret } from "./one-time-code.ts";
import { PRESENT_COST, readPhc, writePhc } from "./password-hash.ts";
import { PasswordHasher } from "./password-hasher.ts";
import { Proof } from "./proof.ts";

const PASSWORD = new Secret("a sentence of mine, 7 times");
const CHEAP = { memoryKib: 64, passes: 1, lanes: 1, salt: Buffer.alloc(16, 7) };
const person = {
  id: "p_ada",
  kind: "person",
  name: "Ada",
  groups: [] as string[],
  external: null,
  isDisabled: false,
} as unknown as Principal;
const otp = newOtpSecret();

/** Enough of an envelope to see that what is opened was sealed for the same place. */
const sealer = {
  seal: (purpose: string, bytes: Buffer) => `${purpose} ${bytes.toString("base64")}`,
  open(purpose: string, sealed: string) {
    if (!sealed.startsWith(`${purpose} `)) throw new Error("not for this");
    return Buffer.from(sealed.slice(purpose.length + 1), "base64");
  },
};

let now: number;
let held: LocalLogin;
let changes: Change[];
let computed: number;
let proof: Proof;
let logins: LocalLogins;
const code = (at = now): string => new TOTP({ secret: otp.reveal(), algorithm: "SHA1" }).generate({ timestamp: at });

beforeEach(async () => {
  now = 1_700_000_000_000;
  changes = [];
  computed = 0;
  const phc = writePhc({ ...CHEAP, hash: await derive(PASSWORD.reveal(), CHEAP) });
  const sealed = sealLocal(sealer, person.id, { password: phc, otp });
  held = { principal: person.id, invitation: null, sealed, otpStep: 0, invitedAt: 0, enrolledAt: 0 };
  logins = new LocalLogins({
    snapshot: () => ({ principals: Principals.of([person]) }),
    read: () => [held],
  });
  proof = new Proof({
    clock: { now: () => now },
    logins,
    sealer,
    hasher: new PasswordHasher((password, derivation) => {
      computed++;
      return derive(password, derivation);
    }),
    delay: new GuessDelay({ now: () => now }),
    knownNetworks: () => Promise.resolve(),
    networkOf: (address) => address,
    changes: {
      inTurn: (work) => work(),
      async change(wanted) {
        changes.push(wanted);
        for (const operation of wanted.operations) if (operation.op === "localLogin.put") held = operation.login;
        logins.rebuild();
        return { epoch: 1, seq: 1 };
      },
    },
  });
});

const prove = (more: { name?: string; password?: Secret; code?: string } = {}) =>
  proof.prove({ name: "Ada", password: PASSWORD, code: code(), ...more }, "192.0.2.1");

describe("a proof by password and code", () => {
  it("raises a hash that asks less than today's, once, and says so", async () => {
    expect(await prove()).toMatchObject({ who: { subject: "p_ada", issuer: "urn:sallyport:local", groups: null } });
    expect(changes[0]!.events[0]).toMatchObject({
      type: "person.proved",
      fields: { rehashed: true, failed_before: 0 },
    });
    const secrets = openLocal(sealer, person.id, held.sealed!);
    expect(readPhc(secrets.password)).toMatchObject(PRESENT_COST);
    expect(secrets.otp.reveal()).toBe(otp.reveal());
    now += 30_000;
    expect(await prove()).toMatchObject({ who: { subject: "p_ada" } });
    expect(changes[1]!.events[0].fields).not.toHaveProperty("rehashed");
  });

  it("remembers the step of the code, so that neither it nor an older one counts again", async () => {
    await prove();
    expect(held.otpStep).toBe(Math.floor(now / 30_000));
    expect(await prove()).toMatchObject({ code: "login_wrong" });
    expect(await prove({ code: code(now - 30_000) })).toMatchObject({ code: "login_wrong" });
    expect(changes).toHaveLength(1);
  });

  it("does the same work for who is not there, and tells only who counts what was wrong", async () => {
    expect(await prove({ name: "nobody" })).toEqual({ code: "login_wrong", signal: "unknown_id" });
    expect(await prove({ password: new Secret("x") })).toEqual({ code: "login_wrong", signal: "wrong_secret" });
    expect(await prove({ code: "000000" })).toEqual({ code: "login_wrong", signal: "wrong_secret" });
    expect([computed, changes.length]).toEqual([3, 0]);
  });

  it("waits by name, however it is spelt", async () => {
    for (const name of ["Ada", "Ａda", "Aｄa"])
      expect(await prove({ name, code: "000000" })).toMatchObject({ code: "login_wrong" });
    expect(await prove({ name: "Adａ" })).toMatchObject({ code: "login_delayed", retryAfterSeconds: 1 });
    expect(computed).toBe(3);
  });

  it("is over when he is invited anew meanwhile", async () => {
    const proven = await prove();
    if (isRefusal(proven)) throw new Error(proven.code);
    expect(proven.isStill()).toBe(true);
    held = { ...held, sealed: null };
    logins.rebuild();
    expect(proven.isStill()).toBe(false);
    expect(await prove({ code: code(now + 30_000) })).toMatchObject({ code: "login_wrong" });
  });
});
