import { expect, test } from "vitest";
import { OrderedMap } from "../kernel/ordered-map.ts";
import { emptySnapshot } from "../access/snapshot.ts";
import { newKey } from "../keys/key.ts";
import type { KeyRecord } from "../keys/key.ts";
import { makeExplain } from "./explain-request.ts";

const what = {
  id: "k",
  environment: "dev",
  name: "k",
  owner: "p",
  limits: {},
  admin: null,
  createdAt: 0,
  createdBy: "x",
};
const secret = { hash: new Uint8Array(32), pepperVersion: 1, expiresAt: 1 };
const key: KeyRecord = newKey({ ...what, ceiling: { roles: [], allow: [], models: null } }, secret);

function codeAt(method: string, path: string): string | undefined {
  const explain = makeExplain({
    snapshot: () => ({ ...emptySnapshot, environments: OrderedMap.of([["dev", {} as never]]) }),
    keys: { find: () => key } as never,
    judge: { explain: () => undefined },
    isQuarantined: () => true,
  });
  return explain({ keyId: "k", method, path })?.code;
}

test("a restored server that nobody has confirmed denies everything but its constants, and explain says so", () => {
  expect(codeAt("POST", "/api/chat")).toBe("restore_unconfirmed");
  expect(codeAt("POST", "/oauth/token")).toBe("restore_unconfirmed");
  expect(codeAt("GET", "/healthz")).toBe("allowed");
});
