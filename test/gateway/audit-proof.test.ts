/** A proof of one record by the admin API: who gets one, and that it holds for those who trust nothing else. */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { verifyRecordProof } from "@sallyport/ledger";
import { ledgerCrypto } from "@sallyport/ledger/node";
import { LedgerLines, openLedgerReader } from "../program-under-test.ts";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
const judge = (proof: string) => verifyRecordProof(ledgerCrypto, proof);
let issuer: { readonly key: string };

beforeAll(async () => {
  gateway = await startGateway({ environments: ["dev", "prod"] });
  issuer = await gateway.admin("POST", "/v1/admin-keys", { name: "dev only", role: "issuer", environments: ["dev"], mayGrant: "*" }); // prettier-ignore
  await gateway.issue({ environment: "dev", name: "of dev" });
  await gateway.issue({ environment: "prod", name: "of prod" });
});
afterAll(() => gateway?.stop());

async function seqOf(environment: string): Promise<number> {
  const found = `/v1/audit?type=key.issued&environment=${environment}&limit=1`;
  return (await gateway.admin<{ records: { seq: number }[] }>("GET", found)).records[0]!.seq;
}

async function asked(
  seq: number | string,
  key = gateway.adminKey,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${gateway.gateway.adminUrl}/v1/audit/${seq}/proof`, {
    headers: { authorization: `Bearer ${key}` },
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** A checkpoint covers what was recorded a moment ago; until then the answer says so. */
const proved = (seq: number, key?: string): Promise<string> =>
  vi.waitFor(async () => {
    const { status, body } = await asked(seq, key);
    if (status !== 200) expect(body.detail).toContain("no checkpoint covers this record yet");
    expect(status).toBe(200);
    return String(body.proof);
  }, 10_000);

it("holds for those who trust nothing else, for the very record", async () => {
  const seq = await seqOf("prod");
  const proof = await proved(seq);
  expect(judge(proof)).toMatchObject({ ok: true, record: { seq, environment: "prod", type: "key.issued" } });
  expect(judge(proof.replace(/^index \d+/m, "index 999"))).toMatchObject({ ok: false });
});

it("is given of one's own environments only, and what is not there looks the same", async () => {
  const [dev, prod] = [await seqOf("dev"), await seqOf("prod")];
  expect(judge(await proved(dev, issuer.key))).toMatchObject({ ok: true, record: { seq: dev } });
  const foreign = await asked(prod, issuer.key);
  const none = await asked(999_999, issuer.key);
  expect(foreign.status).toBe(404);
  expect(foreign.body.detail).toBe(none.body.detail);
});

it.each(["x", "-1", "1.5", "1e3", "9007199254740993"])("%s is no number of a record", async (seq) => {
  expect((await asked(seq)).status).toBe(422);
});

it("is made with all that wait by one walk, and all verifications that wait are one", async () => {
  const seqs = [await seqOf("dev"), await seqOf("prod")];
  await Promise.all(seqs.map((seq) => proved(seq)));
  const reader = openLedgerReader(gateway.directory);
  const walks = vi.spyOn(LedgerLines.prototype, "once");
  try {
    const asking = Array.from({ length: 20 }, (_, n) => reader.prove(n < 2 ? seqs[n]! : 1_000_000 + n));
    const all = vi.spyOn(LedgerLines.prototype, "all");
    const verdicts = Array.from({ length: 20 }, () => reader.verify());
    const proofs = await Promise.all(asking);
    expect((await Promise.all(verdicts)).every(({ ok }) => ok)).toBe(true);
    // A walk for a proof is one for a verification, too.
    expect(all).toHaveBeenCalledTimes(3);
    all.mockRestore();
    expect(proofs.slice(0, 2).map((proof) => judge(proof!))).toMatchObject(seqs.map((seq) => ({ ok: true, record: { seq } }))); // prettier-ignore
    expect(proofs.slice(2).every((proof) => proof === null)).toBe(true);
    // Where the leaves are, and then their hashes.
    expect(walks).toHaveBeenCalledTimes(2);
  } finally {
    walks.mockRestore();
    reader.close();
  }
});

it("is recorded as a read", async () => {
  const seq = await seqOf("dev");
  await proved(seq);
  const { records } = await gateway.admin<{ records: { fields: Record<string, unknown> }[] }>("GET", "/v1/audit?type=audit.read"); // prettier-ignore
  expect(JSON.stringify(records)).toContain(String(seq - 1));
});
