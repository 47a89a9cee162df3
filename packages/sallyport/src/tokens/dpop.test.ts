import { createHash } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, test } from "vitest";
import { DpopVerifier } from "./dpop.ts";

const NOW = 1_800_000_000_000;
const TOKEN = "a.token.text";
const URL = "http://localhost/api/chat";

async function prover() {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA", { crv: "Ed25519" });
  const jwk = await exportJWK(publicKey);
  const ath = createHash("sha256").update(TOKEN).digest("base64url");
  const prove = (jti: string): Promise<string> =>
    new SignJWT({ jti, htm: "POST", htu: URL, ath, iat: NOW / 1_000 })
      .setProtectedHeader({ alg: "EdDSA", typ: "dpop+jwt", jwk })
      .sign(privateKey);
  return { prove, thumbprint: await calculateJwkThumbprint(jwk) };
}

test("a proof by another key is denied before it takes room, and a key's proofs fill its own share only", async () => {
  const [mine, other] = [await prover(), await prover()];
  const verifier = new DpopVerifier(NOW - 60_000, { capacity: 20, perOwner: { owner: 5 }, reserve: 0, little: 0 });
  const ask = { method: "POST", url: URL, token: TOKEN, thumbprint: mine.thumbprint, now: NOW };
  const proofs = await Promise.all(
    Array.from({ length: 5 }, (_, i) => other.prove(`jti-${String(i).padStart(6, "0")}`)),
  );
  for (const proof of proofs) expect(await verifier.verify(proof, { ...ask, owner: "dev/a" })).toBe("dpop_other_key");
  // Its owner's share is untouched: as many of its own fit.
  const own = await mine.prove("jti-own-one");
  expect(await verifier.verify(own, { ...ask, owner: "dev/a" })).toEqual({ thumbprint: mine.thumbprint });
  expect(await verifier.verify(own, { ...ask, owner: "dev/a" })).toBe("dpop_replayed");
  const asked = { ...ask, token: null, thumbprint: null };
  for (const proof of proofs.slice(1)) await verifier.verify(proof, { ...asked, owner: "dev/a" });
  expect(await verifier.verify(proofs[0]!, { ...asked, owner: "dev/a" })).toBe("dpop_full");
  expect(await verifier.verify(proofs[0]!, { ...asked, owner: "dev/b" })).toEqual({ thumbprint: other.thumbprint });
});
