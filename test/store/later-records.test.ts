/** What a restored gateway is told happened since: a directory's word narrows like an administrator's. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readLaterRecords } from "../program-under-test.ts";

it("finds who was deactivated by a directory, and keys that ended by it", () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-later-"));
  const record = (seq: number, type: string, fields: object, environment = "system"): string =>
    JSON.stringify({ seq, at: 0, environment, type, actor: "gateway", fields });
  const lines = [
    record(5, "person.deactivated", { principal: "p_1", source: "scim" }),
    record(6, "key.revoked", { key: "AAAAAAAAAAAA", reason: "owner_left" }, "dev"),
    record(7, "person.groups_changed", { principal: "p_2" }),
    record(8, "principal.disabled", { principal: "p_3" }),
  ];
  const path = join(folder, "lines.jsonl");
  writeFileSync(path, `${lines.join("\n")}\n`);
  const { records } = readLaterRecords(path, { seq: 4, hash: "0".repeat(64) }, join(folder, "own"));
  expect(records).toEqual([
    { type: "principal.disabled", environment: "system", id: "p_1" },
    { type: "key.revoked", environment: "dev", id: "AAAAAAAAAAAA" },
    { type: "principal.disabled", environment: "system", id: "p_3" },
  ]);
  rmSync(folder, { recursive: true });
});
