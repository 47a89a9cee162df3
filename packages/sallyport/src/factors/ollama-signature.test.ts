import { generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OllamaRepeats } from "./ollama-repeats.ts";
import type { OllamaRepeatFailure } from "./ollama-repeats.ts";
import { parseOllamaCredential, verifyOllamaSignature } from "./ollama-signature.ts";
import type { OllamaSignature } from "./ollama-signature.ts";
import { parseSshPublicKey } from "./ssh-public-key.ts";

const TS = 1_700_000_000;
const NOW = TS * 1000;
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const raw = (publicKey.export({ type: "spki", format: "der" }) as Buffer).subarray(-32);
const blob = Buffer.concat([
  Buffer.from([0, 0, 0, 11]),
  Buffer.from("ssh-ed25519"),
  Buffer.from([0, 0, 0, 32]),
  raw,
]).toString("base64");
/** As the client's `api/client.go` makes it. */
const credentialOf = (method: string, path: string, ts = TS): string =>
  `${blob}:${sign(null, Buffer.from(`${method},${path}?ts=${ts}`), privateKey).toString("base64")}`;
const verdict = (text: string, method: string, target: string, now = NOW): unknown => {
  const credential = parseOllamaCredential(text);
  return credential === undefined ? "no credential" : verifyOllamaSignature(credential, { method, target, now });
};

describe("the Ollama CLI's signature", () => {
  it("is verified over method, path and time, and names the key as ssh-keygen does", () => {
    const text = credentialOf("POST", "/api/chat");
    const { fingerprint } = parseSshPublicKey(`ssh-ed25519 ${blob}`)!;
    expect(parseOllamaCredential(text)).toMatchObject({ publicKey: raw, fingerprint });
    expect(verdict(text, "POST", `/api/chat?ts=${TS}`)).toEqual({
      fingerprint,
      ts: TS,
      text: `POST,/api/chat?ts=${TS}`,
    });
  });

  it("is of that method, path, time and key alone", () => {
    const text = credentialOf("POST", "/api/chat");
    expect(verdict(text, "GET", `/api/chat?ts=${TS}`)).toBe("signature_wrong");
    expect(verdict(text, "POST", `/api/generate?ts=${TS}`)).toBe("signature_wrong");
    expect(verdict(text, "POST", `/api/chat?ts=${TS + 1}`)).toBe("signature_wrong");
    const other = generateKeyPairSync("ed25519").privateKey;
    const forged = sign(null, Buffer.from(`POST,/api/chat?ts=${TS}`), other).toString("base64");
    expect(verdict(`${blob}:${forged}`, "POST", `/api/chat?ts=${TS}`)).toBe("signature_wrong");
  });

  it.each(["/api/chat", "/api/chat?x=1", `/api/chat?ts=${TS}&x=1`, `/api/chat?x=1&ts=${TS}`, `/api/chat?ts=0${TS}`])(
    "is not taken with the target %s",
    (target) => expect(verdict(credentialOf("POST", "/api/chat"), "POST", target)).toBe("ts_missing"),
  );

  it("is taken for a minute, and five seconds ahead", () => {
    const text = credentialOf("POST", "/api/chat");
    const at = (now: number): unknown => verdict(text, "POST", `/api/chat?ts=${TS}`, now);
    expect([at(NOW + 60_001), at(NOW - 5001)]).toEqual(["ts_old", "ts_future"]);
    expect([at(NOW + 60_000), at(NOW - 5000)]).toEqual([expect.any(Object), expect.any(Object)]);
  });

  it("a public key under which anything verifies is refused", () => {
    const weak = Buffer.concat([Buffer.from(blob, "base64").subarray(0, 19), Buffer.from([1]), Buffer.alloc(31)]);
    const forged = Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]);
    expect(verdict(`${weak.toString("base64")}:${forged.toString("base64")}`, "GET", `/api/tags?ts=${TS}`)).toBe(
      "signature_wrong",
    );
  });

  it("is read in one spelling, and whatever comes the answer is a value", () => {
    const good = credentialOf("POST", "/api/chat");
    const place = fc.nat(good.length - 1);
    fc.assert(
      fc.property(place, fc.string({ unit: "binary", minLength: 1, maxLength: 1 }), fc.nat(2), (at, put, cut) => {
        const changed = good.slice(0, at) + put + good.slice(at + cut);
        fc.pre(changed !== good);
        expect(["no credential", "signature_wrong"]).toContain(verdict(changed, "POST", `/api/chat?ts=${TS}`));
      }),
      { numRuns: 3000 },
    );
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => parseOllamaCredential(text) === undefined));
    for (const text of [` ${good}`, `Bearer ${good}`, `${good}\n`, good.replace(/==$/, ""), good.replace(":", "::")])
      expect(parseOllamaCredential(text)).toBeUndefined();
  });
});

describe("the same signature again", () => {
  const signatureAt = (ts: number, path = "/api/chat"): OllamaSignature => ({
    fingerprint: "SHA256:a",
    ts,
    text: `POST,${path}?ts=${ts}`,
  });
  const signature = signatureAt(TS);
  const fresh = (more = {}): OllamaRepeats => new OllamaRepeats({ startedAt: NOW - 60_000, ...more });

  it("is accepted a bounded number of times from the same address within ten seconds, more often where it only reads", () => {
    const repeats = fresh();
    const uses = Array.from({ length: 65 }, (_, n) => repeats.take(signature, "dev/k", "10.0.0.1", NOW + n));
    expect(uses).toEqual([...Array<undefined>(64).fill(undefined), "too_often"]);
    const list = { ...signature, text: `GET,/api/tags?ts=${TS}` };
    const reads = Array.from({ length: 1_025 }, () => repeats.take(list, "dev/k", "10.0.0.1", NOW));
    expect([reads.findIndex((failure) => failure !== undefined), reads.at(-1)]).toEqual([1_024, "too_often"]);
    expect(repeats.take(signatureAt(TS, "/api/show"), "dev/k", "10.0.0.1", NOW)).toBeUndefined();
    expect(repeats.take(signatureAt(TS + 1), "dev/k", "10.0.0.1", NOW)).toBeUndefined();
  });

  it("is refused from another address, and later", () => {
    const repeats = fresh();
    expect(repeats.take(signature, "dev/k", "10.0.0.1", NOW)).toBeUndefined();
    expect(repeats.take(signature, "dev/k", "10.0.0.2", NOW)).toBe("elsewhere");
    expect(repeats.take(signature, "dev/k", "10.0.0.1", NOW + 10_000)).toBeUndefined();
    expect(repeats.take(signature, "dev/k", "10.0.0.1", NOW + 10_001)).toBe("late");
    expect(repeats.take(signature, "dev/k", "10.0.0.1", NOW + 60_000)).toBe("late");
    expect(repeats.take(signature, "dev/k", "10.0.0.1", NOW + 60_001)).toBe("expired");
    expect(repeats.take(signature, "dev/k", "10.0.0.1", NOW)).toBe("expired");
  });

  it("is refused when an earlier process may have taken it, and when nothing more can be remembered", () => {
    expect(fresh({ startedAt: NOW - 5000 }).take(signature, "dev/k", "10.0.0.1", NOW)).toBe("before_start");
    expect(fresh({ startedAt: NOW - 5001 }).take(signature, "dev/k", "10.0.0.1", NOW)).toBeUndefined();
    const repeats = fresh({ shares: { capacity: 3, perOwner: { owner: 2 }, reserve: 0, little: 0 } });
    const take = (ts: number, fingerprint = "SHA256:a"): OllamaRepeatFailure | undefined =>
      repeats.take({ ...signatureAt(ts), fingerprint }, fingerprint, "10.0.0.1", NOW);
    expect([take(TS), take(TS + 1), take(TS + 2)]).toEqual([undefined, undefined, "key_full"]);
    expect([take(TS, "SHA256:b"), take(TS, "SHA256:c"), take(TS)]).toEqual([undefined, "full", undefined]);
  });
});
