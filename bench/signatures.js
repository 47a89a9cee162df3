// What verifying a signed request costs beside the bare cryptography, for each algorithm: fields read, profile checked,
// signature base built. Both halves take turns in one run, so that a slow moment falls on both.
import { createHash, createHmac, generateKeyPairSync, randomBytes, sign, timingSafeEqual, verify } from "node:crypto";
import { formatSignatureParameters, signatureBase } from "../packages/protocol/dist/index.js";
import { verifyRequestSignature } from "../packages/sallyport/dist/factors/request-signature.js";
import { makeSigner } from "../packages/sallyport/dist/factors/signer.js";
import { median } from "./processes.js";

const ROUNDS = 41;
const CALLS_PER_ROUND = { "hmac-sha256": 2000, ed25519: 300, "ecdsa-p256-sha256": 300 };
const now = 1_700_000_000_000;
const body = JSON.stringify({ model: "llama3.2", messages: [{ role: "user", content: "x".repeat(400) }] });
const components = [
  "@method", "@target-uri", "@authority", "sallyport-environment", "content-digest", "content-type",
]; // prettier-ignore

/** A key pair or a secret: how to register it, how to sign, and the bare check. */
function makeKey(algorithm) {
  if (algorithm === "hmac-sha256") {
    const secret = randomBytes(32);
    const mac = (base) => createHmac("sha256", secret).update(base).digest();
    return {
      text: secret.toString("base64url"),
      sign: mac,
      verify: (base, bytes) => timingSafeEqual(mac(base), bytes),
    };
  }
  const isEd = algorithm === "ed25519";
  const pair = isEd ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const hash = isEd ? null : "sha256";
  const key = { key: pair.privateKey, dsaEncoding: "ieee-p1363" };
  const publicKey = { key: pair.publicKey, dsaEncoding: "ieee-p1363" };
  return {
    text: pair.publicKey.export({ type: "spki", format: "pem" }),
    sign: (base) => sign(hash, base, key),
    verify: (base, bytes) => verify(hash, base, publicKey, bytes),
  };
}

function cost(algorithm) {
  const key = makeKey(algorithm);
  const signer = makeSigner("laptop", algorithm, key.text);
  const digest = createHash("sha256").update(body).digest("base64");
  const parameters = formatSignatureParameters(components, {
    created: now / 1000,
    expires: now / 1000 + 60,
    nonce: randomBytes(16).toString("base64url"),
    keyid: "laptop",
    alg: algorithm,
    tag: "sallyport",
  });
  // What a client sends besides is in the way of whoever looks for a field.
  const rawHeaders = [
    "Host", "llm.example.org", "User-Agent", "openai/6 node", "Accept", "application/json", "Accept-Encoding", "gzip",
    "Authorization", `Bearer ${"k".repeat(80)}`, "Content-Type", "application/json", "Content-Length", `${body.length}`,
    "X-Stainless-Lang", "js", "X-Stainless-OS", "Linux", "Connection", "keep-alive", "Sallyport-Environment", "prod",
    "Content-Digest", `sha-256=:${digest}:`, "Signature-Input", `sig=${parameters}`,
  ]; // prettier-ignore
  const message = { method: "POST", scheme: "https", authority: "llm.example.org", target: "/api/chat", rawHeaders };
  const base = Buffer.from(signatureBase(message, components, parameters));
  const bytes = key.sign(base);
  rawHeaders.push("Signature", `sig=:${bytes.toString("base64")}:`);
  const request = { ...message, environment: "prod", now };
  const find = () => signer;

  const bareUs = [];
  const oursUs = [];
  const time = (work, into) => {
    const started = process.cpuUsage();
    for (let i = 0; i < CALLS_PER_ROUND[algorithm]; i++) if (!work()) throw new Error("not verified");
    const { user, system } = process.cpuUsage(started);
    into.push((user + system) / CALLS_PER_ROUND[algorithm]);
  };
  for (let round = 0; round < ROUNDS; round++) {
    time(() => key.verify(base, bytes), bareUs);
    time(() => !("reason" in verifyRequestSignature(request, find)), oursUs);
  }
  const [bare, ours] = [median(bareUs.slice(2)), median(oursUs.slice(2))];
  return { algorithm, bareUs: bare, oursUs: ours, overUs: ours - bare };
}

export function signatures() {
  return Object.keys(CALLS_PER_ROUND).map(cost);
}

if (process.argv[1] === new URL(import.meta.url).pathname) console.table(signatures());
